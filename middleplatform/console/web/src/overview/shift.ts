/* The shift that goes on, by the mine's own calendar and clock. */
import {computed} from 'vue'
import type {Words} from '../i18n'
import {localOf, now} from '../live/clock'
import {mine, zone} from '../mine/catalogue'

export interface Shift {
  /** Its number in the site's order, from "1" on, as figures name it; "rest" between shifts. */
  key: string
  name: Words | null
  /** ms UTC. */
  start: number
  /** The mine's day that it belongs to, as 2026-03-01. */
  day: string
}

const DAY = 86_400_000
const minutesOf = (clock: string): number => Number(clock.slice(0, 2)) * 60 + Number(clock.slice(3, 5))
/** By the minute, so that what follows from it is reckoned anew only then. */
const minute = computed(() => Math.floor(now.value / 60_000) * 60_000)

/** Minutes since midnight, and the date, by the mine's clock. */
function local(ms: number): {minutes: number; date: string} {
  const [date = '', clock = ''] = localOf(ms, zone.value).split(' ')
  return {minutes: minutesOf(clock), date}
}

/** The mine's day begins with the first of its shifts, at midnight where it has none. */
export const shift = computed<Shift>(() => {
  const shifts = mine.value?.shifts ?? []
  const {minutes, date} = local(minute.value)
  const begins = shifts.length ? minutesOf(shifts[0]!.start) : 0
  const day = minutes >= begins ? date : local(minute.value - DAY).date
  for (const [k, each] of shifts.entries()) {
    const start = minutesOf(each.start)
    const since = (minutes - start + 1440) % 1440
    const lasts = (minutesOf(each.end) - start + 1440) % 1440 || 1440
    if (since < lasts) return {key: String(k + 1), name: each.name, start: minute.value - since * 60_000, day}
  }
  const since = (minutes - begins + 1440) % 1440
  return {key: 'rest', name: null, start: minute.value - since * 60_000, day}
})
