/* What the trend page asks the platform: curves, the same in another period, states of the machines, their alarms. */
import {get} from '../api/client'
import type {History, PointFacts} from '../api/types'
import type {Words} from '../i18n'

const FEWEST = 200
const MOST = 1000
const MINUTE_US = 60e6

export function bucketsFor(width: number): number {
  return Math.round(Math.min(MOST, Math.max(FEWEST, width)))
}

export const askCurves = (points: readonly PointFacts[], start: number, end: number, buckets: number, signal: AbortSignal) =>
  get<History>('history', {point: points.map(point => point.id), start: Math.round(start * 1000), end: Math.round(end * 1000), buckets}, signal)

/** In buckets as wide as those of `like`, `by` µs before it, so that both lie over each other. */
export function askOther(points: readonly PointFacts[], like: {origin: number; width: number; end: number}, by: number, signal: AbortSignal): Promise<History> {
  const start = Math.round(like.origin - by)
  const width = like.width % MINUTE_US === 0 ? {width: `${like.width / MINUTE_US}m`} : {buckets: Math.max(1, Math.round((like.end - like.origin) / like.width))}
  return get<History>('history', {point: points.map(point => point.id), start, end: Math.round(like.end - by), ...width}, signal)
}

export interface Interval {
  alarm: number
  rule: string
  rule_name: Words
  subject: string
  name: Words
  equipment: {id: string; name: Words} | null
  priority: number
  begin: number | null
  end: number | null
}
export interface Intervals {
  truncated: boolean
  intervals: Interval[]
}

export const askAlarms = (equipment: readonly string[], start: number, end: number, signal: AbortSignal) =>
  get<Intervals>('alarms/intervals', {equipment, start: Math.round(start * 1000), end: Math.round(end * 1000)}, signal)
