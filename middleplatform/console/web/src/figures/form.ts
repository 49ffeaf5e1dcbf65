/* Shares and times as people read them. What nobody knows is a dash, never 0. */

export const NOTHING = '—'

/** A share as per cent with one decimal. */
export function share(value: number | null | undefined): string {
  return value === null || value === undefined ? NOTHING : `${(100 * value).toFixed(1)} %`
}

/** Seconds as h:mm:ss; to the millisecond where less than a second of it is left over. */
export function time(seconds: number): string {
  const ms = Math.round(seconds * 1000)
  const [h, m, s] = [Math.floor(ms / 3_600_000), Math.floor(ms / 60_000) % 60, Math.floor(ms / 1000) % 60]
  const rest = ms % 1000
  return `${h}:${String(m).padStart(2, '0')}:${String(s).padStart(2, '0')}${rest ? `.${String(rest).padStart(3, '0')}` : ''}`
}

/** Seconds as h:mm:ss to the nearest second, for where there is little room: what is not nothing is never told as 0. */
export function brief(seconds: number): string {
  return seconds > 0 && seconds < 0.5 ? `<${time(1)}` : time(Math.round(seconds))
}

/** How long something lasted. What did not is a dash; where it is known how the rest of that time was, it is a nought that
 *  somebody measured. */
export function lasted(seconds: number, known = false): string {
  return seconds || known ? time(seconds) : NOTHING
}
