/* What the platform answers about alarms, beyond the board. */
import type {Alarm, Group, Place} from '../api/types'
import type {Words} from '../i18n'

export interface Handling {
  id: number
  raised: number
  cause: string
  measure: string
  result: string
  who: string
  at: number
}
/** A line of the journal: times µs UTC. */
export interface Entry {
  number: number
  alarm: number
  rule: string
  subject: string
  name: Words
  equipment: Place | null
  area: Place | null
  rule_name: Words
  kind: string
  priority: number
  statutory: boolean
  unit: string
  to_handle: boolean
  what: string
  ts: number
  at: number
  late: boolean
  value: number | null
  quality: number | null
  who: string | null
  note: string | null
  handlings: Handling[]
}
export interface Journal {
  entries: Entry[]
  next: number | null
  total: number | null
}
export interface AlarmList {
  total: number
  offset: number
  alarms: Alarm[]
}
export interface GroupList {
  total: number
  offset: number
  groups: Group[]
}
export interface About {
  alarm: Alarm
  raised: number | null
  to_handle: boolean
  level_at_raise: number | null
  rule: {
    version: number; source: string; effective_from: string; confirmed: boolean; on_s: number; off_s: number
    level: number | null; restore: number | null; latching: boolean; reason: string; approved_by: string
  } | null
  /** From what the platform judges a rule of its own, which no site has. */
  own: Words | null
  advice: {means: Words; causes: Words; follows: Words; do: Words; source: Words; effective_from: string; confirmed: boolean} | null
  cause: Alarm | null
  consequences: Alarm[]
  consequence_count: number
  raises_week: number
  alike_week: number
}
export interface Ranked {
  id: number
  rule: string
  subject: string
  since: number
  name: Words
  equipment: Place | null
  area: Place | null
  rule_name: Words
  raises?: number
}
export interface Performance {
  start: number
  end: number
  raises: number
  /** Of the range, the time in which alarms were judged; below `coverage_target` it is not `enough` for a verdict. */
  watched_s: number
  coverage: number
  enough: boolean
  coverage_target: number
  per_hour: number | null
  per_day: number | null
  per_10_min: {mean: number | null; most: number; above: number | null}
  top_ten: Ranked[]
  top_ten_share: number
  stale: {count: number; alarms: Ranked[]}
  flood: {count: number; share: number | null; now: boolean; peak: number; floods: {start: number; end: number | null; peak: number}[]}
  priorities: Record<string, number>
  acknowledged: {share: number; mean_s: number | null; median_s: number | null; p95_s: number | null}
  chattering: Ranked[]
  targets: {per_day: number; per_hour: number; per_10_min: number; flood_share: number; top_ten_share: number; stale: number; priorities: Record<string, number>}
  effective_from: string
}
