/* What the platform answers, as far as the console reads it. */
import type {Words} from '../i18n'

export interface Me {
  name: string
  user: string | null
  role: string
  permissions: string[]
  must_change: boolean
  csrf: string | null
}
export interface PointFacts {
  point: string
  id: string
  equipment: {id: string; name: Words}
  key: string
  name: Words
  unit: string
  role: string
  kind: 'analog' | 'state' | 'counter' | 'text'
  range: {low: number | null; high: number | null}
  limits: {kind: string; value: number | null; restore: number | null}[]
  states: Record<string, Words>
  silence_s: number
  writable: boolean
}
export interface Frame {
  snapshot?: {points: string[]}
  error?: {code: string}
  t: number
  i: number[]
  v: (number | null)[]
  q: number[]
  ts: number[]
  s?: (string | null)[]
  m?: boolean[]
}
export interface Place {
  id: string
  name: Words
}
export interface Alarm {
  id: number
  rule: string
  subject: string
  name: Words
  equipment: Place | null
  area: Place | null
  kind: 'alarm' | 'power_cut' | 'feed_fault'
  priority: number
  statutory: boolean
  state: string
  since: number
  cause: number | null
  level: number
  value: number | null
  unit: string
  suppressed: string[]
  suppressions: {kind: string; who: string; reason: string; since: number; until: number | null; ticket: number | null; allowed_by: string | null}[]
  rule_name: Words
  chattering: boolean
}
export interface Group {
  head: Alarm
  /** The member to look at first, null where it is the head. */
  urgent: Alarm | null
  alike: boolean
  count: number
  active: number
  unacknowledged: number
  priority: number
  since: number
  alarms: number[]
  /** When each of `alarms` was raised last: said back when they are acknowledged. */
  sinces: number[]
}
export interface Board {
  total: number
  counts: {open: number; unacknowledged: number; active: number; suppressed: number; priorities: Record<string, number>}
  watch: {alive: boolean; deaf: boolean; behind: boolean; failing: boolean}
  time_zone: string
  flood: {start: number; peak: number} | null
  /** Every machine that has an open alarm, also where `groups`, which are a page, do not name it. */
  equipment: Record<string, {priority: number; count: number}>
  groups: Group[]
}
export interface Series {
  point: string
  unit: string
  samples?: {ts: number[]; value: (number | null)[]; quality: number[]}
  buckets?: {ts: number[]; min: (number | null)[]; max: (number | null)[]; mean: (number | null)[]; good_us: number[]; n?: number[]; n_good?: number[]}
}
export interface History {
  start_us: number
  end_us: number
  width_us: number | null
  truncated: boolean
  incomplete: boolean
  series: Series[]
}
