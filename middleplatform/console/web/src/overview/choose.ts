/* What stands on the overview: chosen by the roles of points and the subsystem of equipment, never by tag names. */
import {computed} from 'vue'
import type {PointFacts} from '../api/types'
import {trustOf} from '../live/quality'
import {sampleOf} from '../live/values'
import {byEquipment, byPath, mine, ofRole, points, type Equipment} from '../mine/catalogue'
import {PAGES} from '../pages'
import {to} from '../router'
import {may} from '../session'

export const subsystemOf = computed(() => new Map((mine.value?.equipment ?? []).map(each => [each.id, each.subsystem])))

export function pointsOfRole(role: string): PointFacts[] {
  return points.value.filter(point => point.role === role)
}

/** Equipment of the site in its order that has points of all these roles. */
export function equipmentWith(...roles: string[]): Equipment[] {
  return (mine.value?.equipment ?? []).filter(each => roles.every(role => ofRole(each.id, role)))
}

export const areaName = (id: string): Equipment['name'] | undefined => {
  const at = mine.value?.equipment.find(each => each.id === id)?.area
  return mine.value?.areas.find(area => area.id === at)?.name
}

/** The value of a point that is to be trusted; null where it is not known. */
export function known(point: PointFacts | undefined): number | null {
  const sample = point && sampleOf(point.point).value
  return sample && trustOf(sample.quality) === 'good' ? sample.value : null
}

export const basis = computed(() => mine.value?.basis ?? {incoming: [], output: [], rated: {}})

/** Of the equipment that these counters belong to, the points of a role. */
export function besides(counters: readonly string[], role: string): PointFacts[] {
  return counters.flatMap(path => {
    const equipment = byPath.value.get(path)?.equipment.id
    return (equipment && byEquipment.value.get(equipment)?.filter(point => point.role === role)) || []
  })
}

/** The address of the first of these pages that there is and that the user may see. */
export function pageOf(...names: string[]): string | undefined {
  const found = names.map(name => PAGES.find(page => page.name === name)).find(page => page && may.value.has(page.needs))
  return found && to(found.name)
}

/** Where an equipment is told of in full. */
export function equipmentPage(id: string): string {
  return pageOf('equipment') ? to('equipment', [id]) : to('values', [], {q: id})
}

/** A trend of these points, where the user may see one. */
export function trendOf(of: readonly PointFacts[], range = '8h'): string | undefined {
  return of.length && pageOf('trends') ? to('trends', [], {p: of.slice(0, 8).map(point => point.point).join(','), range}) : undefined
}
