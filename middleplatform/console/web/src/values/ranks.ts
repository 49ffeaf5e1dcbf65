/* How far each point is to be trusted, looked at every few seconds: an order that changed with every sample could not be read. */
import {onBeforeUnmount, shallowRef, watch, type ShallowRef} from 'vue'
import type {PointFacts} from '../api/types'
import {trustOf, type Trust} from '../live/quality'
import {sampleOf} from '../live/values'

const EVERY_MS = 3000
/** The worst first. */
export const RANK: Record<Trust, number> = {bad: 0, old: 1, doubtful: 2, good: 3}

export function ranksOf(points: ShallowRef<PointFacts[]>): ShallowRef<ReadonlyMap<string, Trust>> {
  const found = shallowRef<ReadonlyMap<string, Trust>>(new Map())
  function look(): void {
    found.value = new Map(points.value.map(point => {
      const sample = sampleOf(point.point).value
      return [point.point, sample ? trustOf(sample.quality) : 'bad']
    }))
  }
  // Without what it reads being followed: one look at 2,000 samples in 3 s, not one at each sample.
  watch(points, () => look(), {immediate: true})
  const timer = setInterval(look, EVERY_MS)
  onBeforeUnmount(() => clearInterval(timer))
  return found
}
