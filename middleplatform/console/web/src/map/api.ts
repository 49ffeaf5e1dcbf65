/* What the platform tells of an instant. */
import type {Alarm} from '../api/types'

/** Columns of equal length; `ts` µs, of the sample itself. */
export interface Then {
  ts_us: number
  looked_back_s: number
  incomplete: boolean
  point: string[]
  value: (number | null)[]
  quality: number[]
  ts: (number | null)[]
  text: (string | null)[] | null
  manual: boolean[]
}
export interface AlarmsThen {
  ts_us: number
  watched: boolean
  total: number
  alarms: Alarm[]
}
