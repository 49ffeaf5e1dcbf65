/* The time that is shown, and the other one that it is compared with: both are in the address. */
import {computed} from 'vue'
import {isInstant} from '../live/clock'
import {hold, route} from '../router'

export const RANGES: readonly [name: string, seconds: number][] = [['15m', 900], ['1h', 3600], ['8h', 28_800], ['24h', 86_400], ['7d', 604_800], ['30d', 2_592_000]]
const DEFAULT = '1h'
const LEAST_MS = 1000

export const rangeName = computed(() => route.value.query.get('range') ?? DEFAULT)
/** [from, to) in ms where the address fixes it; null: it follows now. */
export const fixed = computed<readonly [number, number] | null>(() => {
  const [from, to] = ['from', 'to'].map(name => Number(route.value.query.get(name) || NaN)) as [number, number]
  return isInstant(from) && isInstant(to) && to > from ? [from, to] : null
})
export const follows = computed(() => !fixed.value)
export const lengthMs = computed(() => (fixed.value ? fixed.value[1] - fixed.value[0] : (RANGES.find(([name]) => name === rangeName.value)?.[1] ?? 3600) * 1000))

/** [start, end) of what is shown at this moment, ms. */
export function shownAt(now: number): [number, number] {
  return fixed.value ? [...fixed.value] : [now - lengthMs.value, now]
}

export function show(from: number, to: number): void {
  const middle = (from + to) / 2
  const half = Math.max(LEAST_MS, to - from) / 2
  hold({from: String(Math.round(middle - half)), to: String(Math.round(middle + half))}, false)
}

export function follow(name: string): void {
  hold({range: name, from: null, to: null}, false)
}

/** By a part of what is shown: 0.5 half of it later, -0.5 earlier. */
export function pan(by: number): void {
  const [from, to] = shownAt(Date.now())
  const step = (to - from) * by
  show(from + step, to + step)
}

/** `by` 2: twice as long around the same middle. */
export function zoom(by: number): void {
  const [from, to] = shownAt(Date.now())
  const grown = ((to - from) * (by - 1)) / 2
  show(from - grown, Math.min(to + grown, Math.max(to, Date.now())))
}

const DAYS: Record<string, number> = {'1d': 1, '7d': 7}
/** How long before (ms) the other period lies: `with=1d`, `7d`, or the ms at which it starts; null: none is wanted. */
export const compared = computed(() => route.value.query.get('with') ?? '')
export function otherBy(start: number): number | null {
  const of = compared.value
  if (!of) return null
  if (of in DAYS) return DAYS[of]! * 86_400_000
  const at = Number(of)
  return Number.isFinite(at) && at > 0 && at !== start ? start - at : null
}
