/* Pressures over support and time: asked for once in buckets, then only for what is new. */
import {get} from '../../api/client'
import type {History} from '../../api/types'

/** How many points one question for history may name. */
const MOST = 200
export const HOURS = [1, 4, 8] as const
const BUCKETS = 72

export interface Heat {
  /** µs; column k begins at start + k * width. */
  start: number
  width: number
  /** [support][column], null where nothing good is known. */
  rows: (number | null)[][]
  /** Number of the support that the shearer was at, by column; null where it is not known. */
  track: (number | null)[]
}

export function empty(hours: number, supports: number): Heat {
  const width = (hours * 3600e6) / BUCKETS
  const start = Math.floor(Date.now() * 1000 / width - BUCKETS + 1) * width
  const column = (): (number | null)[] => new Array<number | null>(BUCKETS).fill(null)
  return {start, width, rows: Array.from({length: supports}, column), track: column()}
}

/** `old`, moved on to now. */
function moved(old: Heat): Heat {
  const start = Math.floor(Date.now() * 1000 / old.width - BUCKETS + 1) * old.width
  const by = Math.min(BUCKETS, Math.round((start - old.start) / old.width))
  if (by <= 0) return old
  const shifted = (row: (number | null)[]): (number | null)[] => [...row.slice(by), ...new Array<number | null>(by).fill(null)]
  return {start, width: old.width, rows: old.rows.map(shifted), track: shifted(old.track)}
}

/**
 * What `old` lacks is asked for: `from` µs is where what is known ends. A support has the mean of its leg in each bucket.
 * Raises Refusal, and DOMException once it is aborted.
 */
export async function filled(old: Heat, legs: readonly string[], shearer: string | null, support: (value: number) => number, from: number, signal: AbortSignal): Promise<Heat> {
  const next = moved(old)
  const first = Math.max(0, Math.floor((from - next.start) / next.width))
  const names = shearer ? [...legs, shearer] : [...legs]
  const rows = next.rows.map(row => [...row])
  const track = [...next.track]
  for (let at = 0; at < names.length; at += MOST) {
    const told = await get<History>('history', {
      point: names.slice(at, at + MOST).join(','), start: String(next.start + first * next.width), end: String(next.start + BUCKETS * next.width), width: `${next.width / 1e6}s`,
    }, signal)
    told.series.forEach((each, k) => {
      const row = at + k < legs.length ? rows[at + k]! : track
      each.buckets?.ts.forEach((ts, n) => {
        const column = Math.round((ts - next.start) / next.width)
        const mean = each.buckets!.mean[n] ?? null
        if (column >= 0 && column < BUCKETS) row[column] = mean !== null && row === track ? support(mean) : mean
      })
    })
  }
  return {...next, rows, track}
}
