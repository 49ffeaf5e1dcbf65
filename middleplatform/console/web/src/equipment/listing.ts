/* The list of machines: what is asked for, filtered and in groups, as rows of one height. */
import {named} from '../i18n'
import {areas, mine, type Equipment} from '../mine/catalogue'
import {systemOf, systemOrder, systemWords, templateWords, within} from './machine'
import type {Shown} from './running'

export interface Asked {
  q: string
  system: string
  area: string
  /** '' is any. */
  state: string
  alarm: boolean
  by: 'system' | 'area'
}
export type Row = {kind: 'head'; key: string; words: string; count: number} | {kind: 'machine'; key: string; machine: Equipment}

export function found(asked: Asked, shownOf: (id: string) => Shown, alarms: ReadonlyMap<string, number>): Equipment[] {
  const words = asked.q.toLowerCase().split(/\s+/).filter(Boolean)
  const inside = asked.area ? within(asked.area) : null
  return (mine.value?.equipment ?? []).filter(machine => {
    if (asked.system && systemOf(machine) !== asked.system) return false
    if (inside && !inside.has(machine.area ?? '')) return false
    if (words.length) {
      const text = `${machine.id} ${machine.name.zh} ${machine.name.en} ${templateWords(machine)} ${machine.template}`.toLowerCase()
      if (!words.every(word => text.includes(word))) return false
    }
    if (asked.alarm && !alarms.has(machine.id)) return false
    return !asked.state || shownOf(machine.id) === asked.state
  })
}

export function rows(machines: readonly Equipment[], by: Asked['by']): Row[] {
  const groups = new Map<string, Equipment[]>()
  for (const machine of machines) {
    const key = by === 'system' ? systemOf(machine) : machine.area ?? ''
    const of = groups.get(key)
    if (of) of.push(machine)
    else groups.set(key, [machine])
  }
  const order = by === 'system' ? systemOrder : [...areas.value.keys(), '']
  return order.filter(key => groups.has(key)).flatMap(key => [
    {kind: 'head' as const, key: `head ${key}`, words: by === 'system' ? systemWords(key) : named(areas.value.get(key)?.name) || '—', count: groups.get(key)!.length},
    ...groups.get(key)!.map(machine => ({kind: 'machine' as const, key: machine.id, machine})),
  ])
}
