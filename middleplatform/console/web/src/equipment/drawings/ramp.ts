/* Pressures as shades: dark to light in the band that limits allow, flat at its ends; what is beyond is marked, not coloured. */
import type {PointFacts} from '../../api/types'

export interface Band {
  lo: number
  hi: number
  unit: string
}
export function bandOf(point: PointFacts | undefined): Band {
  const value = (kind: string): number | null => point?.limits.find(limit => limit.kind === kind)?.value ?? null
  return {lo: value('lo') ?? point?.range.low ?? 0, hi: value('hi') ?? point?.range.high ?? 100, unit: point?.unit ?? ''}
}

type Colour = [number, number, number]
const ENDS: Record<'dark' | 'light', [Colour, Colour]> = {
  dark: [[62, 74, 84], [186, 214, 230]],
  light: [[214, 222, 227], [38, 84, 112]],
}
/** The shade of a value, r, g, b. */
export function shade(value: number, band: Band, look: 'dark' | 'light'): Colour {
  const part = Math.min(1, Math.max(0, (value - band.lo) / (band.hi - band.lo || 1)))
  const [from, to] = ENDS[look]
  return [0, 1, 2].map(k => Math.round(from[k]! + (to[k]! - from[k]!) * part)) as Colour
}
