/* Whether a machine runs, and who rules it: by the roles of its points. */
import {named, type Words} from '../i18n'
import {trustOf} from '../live/quality'
import {sampleOf} from '../live/values'
import type {PointFacts} from '../api/types'
import {byEquipment} from '../mine/catalogue'
import {RUNS} from '../mine/state'

/** Beside machines that turn, what is live, closed or reached is filled too: role → the values that mean it. */
const LIVE: Record<string, readonly number[]> = {...RUNS, 'breaker.state': [1], 'link.online': [1], 'feed.state': [1], 'station.run_state': [0]}
const ORDER = Object.keys(LIVE)

export type Shown = 'running' | 'stopped' | 'unknown' | 'none'
export interface Run {
  shown: Shown
  /** What the machine itself says, '' where it says nothing. */
  words: string
}

/** The points that tell whether a machine runs: several where several motors or pumps do. */
export function runPoints(id: string): PointFacts[] {
  const points = byEquipment.value.get(id) ?? []
  for (const role of ORDER) {
    const found = points.filter(point => point.role === role)
    if (found.length) return found
  }
  return []
}

/** What one point of state says, and whether that means running. */
export function runOfPoint(point: PointFacts): Run {
  const sample = sampleOf(point.point).value
  const words = stateWords(point)
  if (!sample || sample.value === null || trustOf(sample.quality) !== 'good') return {shown: 'unknown', words}
  return {shown: LIVE[point.role]?.includes(sample.value) ? 'running' : 'stopped', words}
}

/** A machine of several motors runs while one of them does; it is unknown when none is known to run and one is unknown. */
export function runOf(id: string): Run {
  const each = runPoints(id).map(runOfPoint)
  if (!each.length) return {shown: 'none', words: ''}
  return each.find(run => run.shown === 'running') ?? each.find(run => run.shown === 'unknown') ?? each[0]!
}

/** What a point of state says in words; '' where nothing has come. */
export function stateWords(point: PointFacts): string {
  const value = sampleOf(point.point).value?.value
  if (value === null || value === undefined) return ''
  const words: Words | undefined = point.states[String(value)]
  return words ? named(words) : String(value)
}
