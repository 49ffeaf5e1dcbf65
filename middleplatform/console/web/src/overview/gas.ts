/* The highest methane now and in the shift, over all points of the role; what is not to be trusted is counted, never left out. */
import {computed} from 'vue'
import {get} from '../api/client'
import type {History, PointFacts} from '../api/types'
import {trustOf} from '../live/quality'
import {polled} from '../live/polled'
import {sampleOf} from '../live/values'
import {pointsOfRole} from './choose'
import {shift} from './shift'

const AT_ONCE = 100
const BUCKET_US = 60e6

export interface Highest {
  point: PointFacts
  value: number
  /** µs. */
  ts: number
}

export const gasPoints = computed(() => pointsOfRole('ch4'))

export const gasNow = computed(() => {
  let highest: Highest | null = null
  const unknown: PointFacts[] = []
  const over: PointFacts[] = []
  for (const point of gasPoints.value) {
    const sample = sampleOf(point.point).value
    if (!sample || sample.value === null || trustOf(sample.quality) !== 'good') {
      unknown.push(point)
      // What a sensor told last while it was trusted less may be high all the same: it stays among the unknown, by name.
      continue
    }
    const limit = limitOf(point)
    if (limit !== null && sample.value >= limit) over.push(point)
    if (!highest || sample.value > highest.value) highest = {point, value: sample.value, ts: sample.ts}
  }
  return {highest, unknown, over}
})

/** The lowest of a point's upper limits; null where it has none. */
export function limitOf(point: PointFacts): number | null {
  const highs = point.limits.filter(each => each.kind.startsWith('hi') && each.value !== null).map(each => each.value!)
  return highs.length ? Math.min(...highs) : null
}

export const askShiftGas = () => polled(async signal => {
  const points = gasPoints.value
  const end = Date.now() * 1000
  const start = Math.min(shift.value.start * 1000, end - BUCKET_US)
  let highest: Highest | null = null
  let whole = true
  for (let k = 0; k < points.length; k += AT_ONCE) {
    const some = points.slice(k, k + AT_ONCE)
    const said = await get<History>('history', {point: some.map(point => point.id), start: Math.round(start), end: Math.round(end), buckets: 480}, signal)
    said.series.forEach((series, row) => {
      const buckets = series.buckets
      let good = 0
      buckets?.ts.forEach((ts, at) => {
        good += buckets.good_us[at] ?? 0
        const value = buckets.max[at]
        if (value !== null && value !== undefined && (!highest || value > highest.value)) highest = {point: some[row]!, value, ts}
      })
      if (good < (end - start) * 0.99) whole = false
    })
    if (said.incomplete) whole = false
  }
  return {highest: highest as Highest | null, whole}
}, 60)
