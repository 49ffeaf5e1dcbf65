/* A longwall face: its supports in order from the head, its shearer and its conveyor, by the area that they stand in. */
import type {PointFacts} from '../../api/types'
import {byArea, machines, type Equipment} from '../../mine/catalogue'
import {allOf, good, has, of, pointsOf} from './around'

export interface Face {
  supports: Equipment[]
  shearer: Equipment | undefined
  conveyor: Equipment | undefined
  /** Of each support, the points of its legs: all faces here have the same number. */
  legs: PointFacts[][]
  acts: (PointFacts | undefined)[]
}

export function faceOf(id: string): Face {
  const there = byArea.value.get(machines.value.get(id)?.area ?? '') ?? []
  const supports = there.filter(each => has(each.id, 'support.leg_pressure')).sort((a, b) => a.id.localeCompare(b.id, 'en', {numeric: true}))
  return {
    supports,
    shearer: there.find(each => has(each.id, 'shearer.position', 'shearer.support')),
    conveyor: there.find(each => has(each.id, 'afc.state')),
    legs: supports.map(each => allOf(each.id, 'support.leg_pressure')),
    acts: supports.map(each => of(each.id, 'support.action')),
  }
}

/** The point that tells where the shearer is, and how its values become numbers of supports (1 is at the head). */
export function whereabouts(face: Face): {point: PointFacts; support: (value: number) => number} | null {
  if (!face.shearer) return null
  const number = of(face.shearer.id, 'shearer.support')
  if (number) return {point: number, support: value => value}
  const metres = pointsOf(face.shearer.id).find(point => point.role === 'shearer.position')
  const long = metres?.range.high
  return metres && long ? {point: metres, support: value => 1 + (value / long) * (face.supports.length - 1)} : null
}

/** The support that the shearer is at, from 0; null where it is not known. */
export function shearerAt(face: Face): number | null {
  const where = whereabouts(face)
  const value = where ? good(where.point) : null
  if (!where || value === null || !face.supports.length) return null
  return Math.min(face.supports.length - 1, Math.max(0, where.support(value) - 1))
}
