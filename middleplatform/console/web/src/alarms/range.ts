/* The time that a page of the room shows: so long back from now, or between two times, as the address holds it. */
import {computed} from 'vue'
import {fieldOf, instantOf} from '../live/clock'
import {zone} from '../mine/catalogue'
import {route} from '../router'

export const SPANS: readonly [string, number][] = [['1h', 1], ['8h', 8], ['24h', 24], ['7d', 168], ['30d', 720]]
const FIRST = '24h'

/** Between two times (ms), null for back from now. */
export const fixed = computed<readonly [number, number] | null>(() => {
  const [from, to] = ['from', 'to'].map(name => Number(route.value.query.get(name)))
  return from && to && to > from ? [from, to] : null
})
export const span = computed(() => {
  const asked = route.value.query.get('range')
  return SPANS.some(([name]) => name === asked) ? asked! : FIRST
})
/** As the platform is asked. */
export const asked = computed(() => (fixed.value ? {start: String(fixed.value[0] * 1000), end: String(fixed.value[1] * 1000)} : {start: `-${span.value}`, end: 'now'}))

/** A time (ms) as a field of date and time has it, by the mine's clock, to the minute. */
export const minuteOf = (ms: number): string => fieldOf(ms, zone.value).slice(0, 16)

/** The time (ms) that a field says by the mine's clock; NaN of none. */
export const timeOf = (field: string): number => instantOf(field, zone.value) ?? NaN
