/* How much of a month tickets leave out of one unit, as the platform reckons it: waiting ones too, each moment once. */
import {instantOf} from '../live/clock'
import {monthEnd, shifted} from './period'
import type {Ticket} from './ticket'

const HOUR_MS = 3_600_000
const COUNTS: readonly Ticket['state'][] = ['waiting', 'approved', 'closed']
/** [from, to) in ms. */
type Stretch = [number, number]

/** The months that a stretch touches by the mine's clock. At most so many: a ticket lasts no year. */
const MOST = 13
export function months([from, to]: Stretch, zone: string, dayOf: (ms: number) => string): string[] {
  const found: string[] = []
  for (let month = dayOf(from).slice(0, 7); found.length < MOST; month = shifted(monthEnd(month), 1).slice(0, 7)) {
    const begins = bounds(month, zone)
    if (!begins || begins[0] >= to) break
    found.push(month)
  }
  return found
}
export function bounds(month: string, zone: string): Stretch | null {
  const [from, to] = [`${month}-01`, shifted(monthEnd(month), 1)].map(day => instantOf(`${day}T00:00:00`, zone))
  return from === null || to === null || from === undefined || to === undefined ? null : [from, to]
}
/** Hours of [from, to) that tickets leave out of what has this path; of one cause, or of all where it is ''. */
export function taken(tickets: Ticket[], path: string, cause: string, [from, to]: Stretch): number {
  const own = tickets
    .filter(each => each.kind === 'excluded_time' && COUNTS.includes(each.state) && each.extent.includes(path) && (!cause || each.cause === cause) && each.end !== null)
    .map<Stretch>(each => [Math.max(from, each.start / 1000), Math.min(to, each.end! / 1000, (each.closed_at ?? Infinity) / 1000)])
    .filter(([a, b]) => a < b)
    .sort(([a], [b]) => a - b)
  let [sum, until] = [0, from]
  for (const [a, b] of own) {
    sum += Math.max(0, b - Math.max(a, until))
    until = Math.max(until, b)
  }
  return sum / HOUR_MS
}
export const hoursOf = ([from, to]: Stretch): number => (to - from) / HOUR_MS
