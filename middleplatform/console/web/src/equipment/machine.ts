/* What a machine is called, where it stands and what stands around it. */
import {named} from '../i18n'
import {areas, byArea, machines, templates, type Equipment} from '../mine/catalogue'
import {t, type Word} from './words'

const SYSTEMS = new Set(['transport', 'mining', 'heading', 'drainage', 'ventilation', 'power', 'network', 'safety'])
/** In the order that the coal, then what serves it, has. */
export const systemOrder: readonly string[] = [...SYSTEMS, 'other']

export function systemOf(machine: Equipment): string {
  return SYSTEMS.has(machine.subsystem) ? machine.subsystem : 'other'
}
export function systemWords(system: string): string {
  return t(system as Word)
}
export function templateWords(machine: Equipment): string {
  return named(templates.value.get(machine.template)?.name) || machine.template
}
/** An area and all that lie in it. */
export function within(area: string): Set<string> {
  const found = new Set([area])
  for (let grew = true; grew; ) {
    grew = false
    for (const each of areas.value.values()) {
      if (each.parent !== null && found.has(each.parent) && !found.has(each.id)) {
        found.add(each.id)
        grew = true
      }
    }
  }
  return found
}

/** What feeds a machine, and what it feeds. */
export function upstream(id: string): Equipment[] {
  return [...machines.value.values()].filter(each => each.feeds === id)
}
export function downstream(id: string): Equipment | undefined {
  return machines.value.get(machines.value.get(id)?.feeds ?? '')
}

/** What stands in the same area, most alike first: a machine's own system before others. */
export function beside(machine: Equipment): Equipment[] {
  return (byArea.value.get(machine.area ?? '') ?? [])
    .filter(each => each.id !== machine.id && each.template !== 'hydraulic_support')
    .sort((a, b) => Number(b.subsystem === machine.subsystem) - Number(a.subsystem === machine.subsystem))
}
