/* What the platform says of how good the data is. */
import type {Words} from '../../i18n'

export interface Grid {
  by: string
  width_us: number
  incomplete: boolean
  times: number[]
  total: number
  offset: number
  rows: {of: string; points: number; score: number | null; scores: (number | null)[]}[]
}
export interface Assessed {
  incomplete: boolean
  width_us: number
  rows: {
    of: string
    ts: number
    points: number
    samples: number
    score: number | null
    completeness: number | null
    timeliness: number | null
    validity: number | null
    consistency: number | null
    uniqueness: number | null
    p50_ms: number | null
    p99_ms: number | null
    polls_due: number
    polls_answered: number
    seconds: {good: number; uncertain: number; bad: number; silent: number}
    causes_s: Record<string, number>
  }[]
}
export interface Intervals {
  total: number
  incomplete: boolean
  intervals: {point: string; begin_us: number; end_us: number; seconds: number; cause: string; breaks: string | null; words: Words}[]
}
