/* Times as people write them. */
import {instantOf} from '../live/clock'

/** The instant (ms) of a local time, "2026-03-01" or "2026-03-01 8:00[:00]"; null where it is none. */
export function msOf(local: string, zone: string): number | null {
  const told = /^\s*(\d{4}-\d{2}-\d{2})(?:[ T]+(\d{1,2}:\d{2})(:\d{2})?)?\s*$/.exec(local)
  return told && instantOf(`${told[1]}T${(told[2] ?? '00:00').padStart(5, '0')}${told[3] ?? ':00'}`, zone)
}
