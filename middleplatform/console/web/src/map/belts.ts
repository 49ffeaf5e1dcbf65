/* Belts that run: dashes go along them as fast as they do, relative to each other; a belt that stands has none. */
import type {State} from './engine'
import type {Feature} from './plan'
import type {View} from './sketch'

const DASH = [8, 6]
const LONG = DASH[0]! + DASH[1]!
/** Pixels a second for each m/s: the eye sees which is faster at any zoom. */
const PX_OF_MS = 4
/** A belt that runs and has no speed of its own to tell. */
const USUAL_MS = 2
export const FPS = 5

/** `seconds`: since any fixed moment; draws and says whether anything moves. */
export function paintBelts(
  ctx: CanvasRenderingContext2D, belts: readonly Feature[], state: (feature: Feature) => State | null,
  colour: (name: string) => string, view: View, w: number, h: number, seconds: number,
): boolean {
  const [west, east] = [view.x - w / 2 / view.scale, view.x + w / 2 / view.scale]
  const [south, north] = [view.y - h / 2 / view.scale, view.y + h / 2 / view.scale]
  let moves = false
  ctx.lineWidth = 2
  ctx.lineCap = 'butt'
  for (const each of belts) {
    const [a, b, c, d] = each.box
    if (c < west || a > east || d < south || b > north) continue
    const now = state(each)
    if (!now) continue
    const runs = now.shown === 'running' && !now.bad
    const ring = each.rings[0]!
    ctx.beginPath()
    for (let k = 0; k < ring.length; k += 2) ctx.lineTo(w / 2 + (ring[k]! - view.x) * view.scale, h / 2 - (ring[k + 1]! - view.y) * view.scale)
    ctx.strokeStyle = colour(now.bad ? '--bad' : runs ? '--text' : '--panel')
    ctx.setLineDash(runs ? DASH : now.bad ? [2, 4] : [])
    ctx.lineDashOffset = runs ? -((seconds * (now.speed || USUAL_MS) * PX_OF_MS) % LONG) : 0
    ctx.stroke()
    moves ||= runs
  }
  ctx.setLineDash([])
  return moves
}
