/* What belongs to one drawing: machines of the same place that say the same kind of thing. */
import type {PointFacts} from '../../api/types'
import {trustOf} from '../../live/quality'
import {sampleOf} from '../../live/values'
import {byArea, byEquipment, machines, type Equipment} from '../../mine/catalogue'
import {limitsOf} from '../scale'

export function pointsOf(id: string): readonly PointFacts[] {
  return byEquipment.value.get(id) ?? []
}
export function has(id: string, ...roles: string[]): boolean {
  return pointsOf(id).some(point => roles.includes(point.role))
}
/** The first point of a machine with one of these roles, in the order of the roles. */
export function of(id: string, ...roles: string[]): PointFacts | undefined {
  for (const role of roles) {
    const found = pointsOf(id).find(point => point.role === role)
    if (found) return found
  }
  return undefined
}
export function allOf(id: string, role: string): PointFacts[] {
  return pointsOf(id).filter(point => point.role === role)
}
/** The machines of the same area as this one, itself too, that have one of these roles; of all the mine where it has no area. */
export function inPlace(id: string, ...roles: string[]): Equipment[] {
  const area = machines.value.get(id)?.area ?? ''
  return (byArea.value.get(area) ?? []).filter(each => has(each.id, ...roles))
}
/** A good value; null where there is none to be trusted. */
export function good(point: PointFacts | undefined): number | null {
  const sample = point ? sampleOf(point.point).value : null
  return sample && trustOf(sample.quality) === 'good' ? sample.value : null
}
/** Of several like points (bearings, directions of vibration) the one that is nearest its limits; the first where none has any. */
export function worstOf(points: readonly PointFacts[]): PointFacts | undefined {
  const part = (point: PointFacts): number => {
    const value = good(point)
    const limit = limitsOf(point).find(each => each.kind.startsWith('hi'))?.value
    return value === null ? -1 : limit ? value / limit : value
  }
  return points.reduce<PointFacts | undefined>((most, each) => (most && part(most) >= part(each) ? most : each), undefined)
}
