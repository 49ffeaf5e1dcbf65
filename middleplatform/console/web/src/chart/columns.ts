/* What the platform answers of several points, on one axis of time as the chart wants it. */
import type {Series} from '../api/types'

export type Column = (number | null)[]
/** [from, to) in ms. */
export type Stretch = [number, number]
export interface Curve {
  low: Column
  mean: Column
  high: Column
  /** Of which nothing came. */
  none: Stretch[]
  /** In which what came was bad, or is known of a part only. */
  bad: Stretch[]
}
export interface Aligned {
  /** ms UTC, the middle of each bucket. */
  time: number[]
  curves: Curve[]
  /** Of the first bucket, µs, and how wide each is. */
  origin: number
  width: number
}

/** What is not yet kept of the newest moments is no gap. */
const SETTLE_US = 10e6

/** Buckets `width` µs wide from a common origin: absent ones are gaps, never a line across. `known`: until when something can be known, µs. */
export function aligned(series: Series[], start: number, end: number, width: number, known = Date.now() * 1000): Aligned {
  const first = series.reduce((least, each) => Math.min(least, each.buckets?.ts[0] ?? Infinity), Infinity)
  const origin = Number.isFinite(first) ? first - Math.ceil((first - start) / width) * width : start
  return placed(series, origin, Math.max(1, Math.ceil((end - origin) / width)), width, Math.min(end, known))
}

/** The same on an axis that is there already: `shift` µs are added to the times of the series. */
export function laidOver(series: Series[], on: Aligned, shift: number, known = Date.now() * 1000): Curve[] {
  const moved = series.map(each => (each.buckets ? {...each, buckets: {...each.buckets, ts: each.buckets.ts.map(ts => ts + shift)}} : each))
  return placed(moved, on.origin, on.time.length, on.width, known + shift).curves
}

function placed(series: Series[], origin: number, count: number, width: number, known: number): Aligned {
  const time = Array.from({length: count}, (_, k) => (origin + (k + 0.5) * width) / 1000)
  return {time, curves: series.map(each => curve(each, origin, count, width, known)), origin, width}
}

function curve(of: Series, origin: number, count: number, width: number, known: number): Curve {
  const columns = [0, 1, 2].map(() => new Array<number | null>(count).fill(null))
  const good = new Float64Array(count)
  const told = new Uint8Array(count)
  const buckets = of.buckets
  buckets?.ts.forEach((ts, k) => {
    const at = Math.round((ts - origin) / width)
    if (at < 0 || at >= count) return
    columns[0]![at] = buckets.min[k] ?? null
    columns[1]![at] = buckets.mean[k] ?? null
    columns[2]![at] = buckets.max[k] ?? null
    good[at] = buckets.good_us[k] ?? 0
    told[at] = 1
  })
  const none: Stretch[] = []
  const bad: Stretch[] = []
  for (let k = 0; k < count; k++) {
    const from = origin + k * width
    const should = Math.min(width, known - SETTLE_US - from)
    if (should <= 0 || good[k]! >= should * 0.99) continue
    add(told[k] ? bad : none, from / 1000, Math.min(from + width, known) / 1000)
  }
  return {low: columns[0]!, mean: columns[1]!, high: columns[2]!, none, bad}
}

function add(to: Stretch[], from: number, until: number): void {
  const last = to.at(-1)
  if (last && Math.abs(last[1] - from) < 1) last[1] = until
  else to.push([from, until])
}

/** Stretches in which a state held, out of its buckets: null where it is not known, "mixed" where it changed within one. */
export interface Held {
  from: number
  to: number
  state: number | 'mixed' | null
}

export function heldOf(curve: Curve, axis: Aligned): Held[] {
  const found: Held[] = []
  for (let k = 0; k < axis.time.length; k++) {
    const [low, high] = [curve.low[k] ?? null, curve.high[k] ?? null]
    const state = low === null || high === null ? null : low === high ? low : 'mixed'
    const from = (axis.origin + k * axis.width) / 1000
    const last = found.at(-1)
    if (last && last.state === state) last.to = from + axis.width / 1000
    else found.push({from, to: from + axis.width / 1000, state})
  }
  return found
}
