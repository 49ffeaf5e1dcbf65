/* The time that ages are told by: one tick for the whole page; and times by the mine's clock, wherever the browser stands. */
import {ref} from 'vue'

export const now = ref(Date.now())
setInterval(() => {
  now.value = Date.now()
}, 500)

/** The last instant (ms, either side of 1970) that a calendar holds. */
const LAST = 8.64e15

/** Whether a number (ms UTC) is an instant at all. */
export const isInstant = (ms: number): boolean => Math.abs(ms) <= LAST

/** A time (µs UTC) as the mine's clock shows it; '' for what is none. */
export function clockOf(us: number, zone: string, language: string, day: boolean): string {
  if (!isInstant(us / 1000)) return ''
  return new Intl.DateTimeFormat(language, {
    timeZone: zone,
    hour12: false,
    ...(day && {month: '2-digit', day: '2-digit'}),
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
  }).format(us / 1000)
}

/** An instant (ms UTC) by the mine's clock, "2026-03-01 08:00:00"; '' for what is none. */
export function localOf(ms: number, zone: string): string {
  if (!isInstant(ms)) return ''
  return new Intl.DateTimeFormat('sv-SE', {timeZone: zone, dateStyle: 'short', timeStyle: 'medium'}).format(ms)
}

/** The same as a field of date and time has it, "2026-03-01T08:00:00". */
export const fieldOf = (ms: number, zone: string): string => localOf(ms, zone).replace(' ', 'T')

/** The instant (ms UTC) at which the mine's clock shows what such a field says; null for what is no time. An hour that a
 *  clock has twice is its first. */
export function instantOf(field: string, zone: string): number | null {
  const said = Date.parse(`${field}Z`)
  if (!Number.isFinite(said)) return null
  // A browser takes the 30th of February for the 2nd of March.
  const day = field.split('T')[0]!
  if (new Date(`${day}T00:00Z`).getUTCDate() !== Number(day.slice(-2))) return null
  // What the clock is ahead of UTC, at about that time and again at the time that it gives: it may change between the two.
  const ahead = (ms: number): number => Date.parse(`${fieldOf(ms, zone)}Z`) - Math.floor(ms / 1000) * 1000
  const found = said - ahead(said - ahead(said))
  return Number.isFinite(found) ? found : null
}
