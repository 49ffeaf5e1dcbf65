/* Where a value, its limits and its range stand on a bar. */
import type {PointFacts} from '../api/types'

export type Kind = 'hihi' | 'hi' | 'lo' | 'lolo'
export interface Limit {
  kind: Kind
  value: number
  restore: number | null
}
export interface Scale {
  low: number
  high: number
  /** The stretch that no limit forbids. */
  from: number
  to: number
  limits: Limit[]
}

export function limitsOf(point: PointFacts): Limit[] {
  return point.limits.filter((limit): limit is Limit => limit.value !== null)
}

/**
 * The part of a point's range that says something: to a third beyond its outermost limit, not to all that a sensor could
 * measure, for methane of 1 % is nothing to see on 0 … 100. Null where neither range nor limits are known. What is measured
 * beyond (`value`) stretches it.
 */
export function scaleOf(point: PointFacts, value: number | null = null): Scale | null {
  const limits = limitsOf(point)
  const upper = limits.filter(limit => limit.kind.startsWith('hi')).map(limit => limit.value)
  const lower = limits.filter(limit => limit.kind.startsWith('lo')).map(limit => limit.value)
  let {low, high} = point.range
  const [most, least] = [Math.max(...upper), Math.min(...lower)]
  const start = low !== null && low < 0 && lower.length === 0 ? 0 : low
  if (upper.length) high = Math.min(high ?? Infinity, most + Math.abs(most - (start ?? 0)) / 3)
  else if (lower.length) high = Math.min(high ?? Infinity, Math.max(...lower) * 2)
  low = upper.length || lower.length ? start : low
  if (lower.length && low !== null && low < 0 && least >= 0) low = 0
  if (low === null || high === null || !Number.isFinite(high) || high <= low) return null
  if (value !== null) [low, high] = [Math.min(low, value), Math.max(high, value)]
  return {low, high, from: lower.length ? Math.max(...lower) : low, to: upper.length ? Math.min(...upper) : high, limits}
}

/** The worst limit that a value is beyond. */
export function beyond(point: PointFacts, value: number | null): Limit | null {
  if (value === null) return null
  const order: Kind[] = ['hihi', 'lolo', 'hi', 'lo']
  const found = limitsOf(point).filter(limit => (limit.kind.startsWith('hi') ? value >= limit.value : value <= limit.value))
  return found.sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind))[0] ?? null
}

/** Where a value stands on a scale, 0 … 1. */
export function part(scale: Scale, value: number): number {
  return Math.min(1, Math.max(0, (value - scale.low) / (scale.high - scale.low)))
}
