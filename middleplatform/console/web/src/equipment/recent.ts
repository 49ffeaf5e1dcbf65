/* The last hour of a few points: asked for in buckets, then carried on by what comes live until it is asked for again. */
import {onBeforeUnmount, ref, shallowRef, watch, type Ref, type ShallowRef} from 'vue'
import {get, wordsOf} from '../api/client'
import type {History} from '../api/types'
import {now} from '../live/clock'
import {trustOf} from '../live/quality'
import {sampleOf} from '../live/values'

export const SPAN_S = 3600
const WIDTH_S = 30
const RENEW_MS = 120_000

export interface Curve {
  /** µs UTC of each bucket's begin; the others go with it, null where nothing good is known. */
  ts: number[]
  low: (number | null)[]
  high: (number | null)[]
  mean: (number | null)[]
}
export interface Recent {
  curves: ShallowRef<ReadonlyMap<string, Curve>>
  wrong: Ref<string>
  loading: Ref<boolean>
  /** The moment (µs) up to which is told. */
  upTo: Ref<number>
}

/** The curves of `paths()`, for as long as the component that asks is there. */
export function recent(paths: () => readonly string[]): Recent {
  const curves = shallowRef<ReadonlyMap<string, Curve>>(new Map())
  const wrong = ref('')
  const loading = ref(true)
  const upTo = ref(Date.now() * 1000)
  let asked: AbortController | null = null
  let askedAt = 0

  async function ask(): Promise<void> {
    asked?.abort()
    const mine = (asked = new AbortController())
    askedAt = Date.now()
    const wanted = paths()
    if (!wanted.length) {
      curves.value = new Map()
      loading.value = false
      return
    }
    try {
      const told = await get<History>('history', {point: wanted, start: `-${SPAN_S}s`, width: `${WIDTH_S}s`}, mine.signal)
      curves.value = new Map(told.series.map(each => {
        const of = each.buckets
        return [each.point, {ts: of?.ts ?? [], low: of?.min ?? [], high: of?.max ?? [], mean: of?.mean ?? []}]
      }))
      wrong.value = ''
    } catch (error) {
      if (error instanceof DOMException) return
      wrong.value = wordsOf(error)
    }
    loading.value = false
  }

  /** The newest value of each point goes into its last bucket, or opens the next. */
  function follow(): void {
    upTo.value = Date.now() * 1000
    for (const [path, curve] of curves.value) {
      const sample = sampleOf(path).value
      if (!sample || sample.value === null || trustOf(sample.quality) !== 'good') continue
      const last = curve.ts.length - 1
      const begin = Math.floor(upTo.value / (WIDTH_S * 1e6)) * WIDTH_S * 1e6
      if (last < 0 || upTo.value - curve.ts[last]! > WIDTH_S * 1e6) {
        curve.ts.push(Math.max(begin, (curve.ts[last] ?? -Infinity) + WIDTH_S * 1e6))
        curve.low.push(sample.value)
        curve.high.push(sample.value)
        curve.mean.push(sample.value)
      } else {
        curve.low[last] = Math.min(curve.low[last] ?? Infinity, sample.value)
        curve.high[last] = Math.max(curve.high[last] ?? -Infinity, sample.value)
        curve.mean[last] = sample.value
      }
    }
  }

  watch(() => paths().join(','), () => {
    loading.value = true
    void ask()
  }, {immediate: true})
  watch(now, (at, before) => {
    if (Math.floor(at / 1000) === Math.floor(before / 1000)) return
    follow()
    if (Date.now() - askedAt > RENEW_MS) void ask()
  })
  onBeforeUnmount(() => asked?.abort())
  return {curves, wrong, loading, upTo}
}
