/* What of a plan stands still, as numbers in a row, so that another thread can have it without copying, and draw it. */
import type {Style} from './layers'
import type {Feature} from './plan'

export interface View {
  /** The middle, cm from the origin; pixels a cm. */
  x: number
  y: number
  scale: number
}
/** Features from the back to the front; ring r of them are `xy` from `ring[r]` to before `ring[r + 1]` (positions),
    feature f has the rings `first[f]` to before `first[f + 1]`. */
export interface Sketch {
  xy: Float64Array
  ring: Uint32Array
  first: Uint32Array
  style: Uint16Array
  styles: Style[]
  /** West, south, east, north of each, cm. */
  box: Float64Array
  /** Width of a wide line, cm; 0: by its style. */
  width: Float32Array
  /** 1: fresh air, or what has one direction; 2: return air. */
  flow: Uint8Array
  area: Uint8Array
}

export function sketchOf(features: readonly Feature[]): Sketch {
  const still = features.filter(each => each.kind !== 'Point')
  const styles = [...new Set(still.map(each => each.style))]
  const number = new Map(styles.map((style, k) => [style, k]))
  let [positions, rings] = [0, 0]
  for (const each of still) {
    rings += each.rings.length
    for (const ring of each.rings) positions += ring.length / 2
  }
  const sketch: Sketch = {
    xy: new Float64Array(2 * positions), ring: new Uint32Array(rings + 1), first: new Uint32Array(still.length + 1),
    style: new Uint16Array(still.length), styles, box: new Float64Array(4 * still.length), width: new Float32Array(still.length),
    flow: new Uint8Array(still.length), area: new Uint8Array(still.length),
  }
  let [at, r] = [0, 0]
  still.forEach((each, f) => {
    sketch.first[f] = r
    for (const ring of each.rings) {
      sketch.ring[r++] = at
      sketch.xy.set(ring, 2 * at)
      at += ring.length / 2
    }
    sketch.style[f] = number.get(each.style)!
    sketch.box.set(each.box, 4 * f)
    sketch.width[f] = each.style.wide ? 100 * (Number(each.facts.width_m) || each.style.width! / 100) : 0
    sketch.flow[f] = each.facts.kind === 'return' ? 2 : 1
    sketch.area[f] = Number(each.kind === 'Polygon')
  })
  sketch.ring[r] = at
  sketch.first[still.length] = r
  return sketch
}

/** What is asked of a drawing: `w`, `h` px of the sheet, `ratio` px of the screen in one of these. */
export interface Wish {
  view: View
  w: number
  h: number
  ratio: number
  hidden: ReadonlySet<string>
  colours: ReadonlyMap<string, string>
}
type Ctx = CanvasRenderingContext2D | OffscreenCanvasRenderingContext2D

const NEAR_PX = 0.7
/** A position nearer to the last one is not drawn: nobody would see it. */
const SPECK_PX = 0.6
const BATCH = 400
/** Positions of one path: longer ones take the rasteriser longer than their parts. */
const ARROW_PX = 90
const SHORT_PX = 26

/** Draw it. Sizes are those of the sheet, which is as large as the canvas. */
export function plot(ctx: Ctx, sketch: Sketch, {view, w, h, ratio, hidden, colours}: Wish): void {
  const {x, y, scale} = view
  const [west, east, south, north] = [x - w / 2 / scale, x + w / 2 / scale, y - h / 2 / scale, y + h / 2 / scale]
  const {xy, ring, first, box} = sketch
  const count = first.length - 1
  const arrows: number[] = []
  ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
  ctx.clearRect(0, 0, w, h)
  ctx.lineJoin = ctx.lineCap = 'round'
  let [held, thick, drawn] = [-1, 0, 0]
  const finish = (): void => {
    if (drawn) ctx.stroke()
    drawn = 0
  }
  for (let f = 0; f < count; f++) {
    const style = sketch.styles[sketch.style[f]!]!
    if (hidden.has(style.of) || scale * 100 < (style.from ?? 0)) continue
    const [a, b, c, d] = [box[4 * f]!, box[4 * f + 1]!, box[4 * f + 2]!, box[4 * f + 3]!]
    if (c < west || a > east || d < south || b > north) continue
    if ((c - a) * scale < SPECK_PX && (d - b) * scale < SPECK_PX) continue
    const wide = sketch.width[f]!
    const px = wide ? Math.max(1.5, Math.min(14, wide * scale)) : (style.width ?? 1)
    const filled = sketch.area[f] === 1 && style.fill
    if (held !== sketch.style[f] || px !== thick || filled || drawn > BATCH) {
      finish()
      held = sketch.style[f]!
      thick = px
      ctx.strokeStyle = colours.get(style.stroke ?? '--eq') ?? '#888'
      ctx.lineWidth = px
      ctx.setLineDash(style.dash ?? [])
      ctx.beginPath()
      drawn = 1
    }
    for (let r = first[f]!; r < first[f + 1]!; r++) {
      const [from, to] = [ring[r]!, ring[r + 1]!]
      let [lastX, lastY] = [Infinity, Infinity]
      for (let k = from; k < to; k++) {
        const px = w / 2 + (xy[2 * k]! - x) * scale
        const py = h / 2 - (xy[2 * k + 1]! - y) * scale
        if (k === from) ctx.moveTo(px, py)
        else if (k < to - 1 && Math.abs(px - lastX) < NEAR_PX && Math.abs(py - lastY) < NEAR_PX) continue
        else ctx.lineTo(px, py)
        ;[lastX, lastY] = [px, py]
        drawn++
      }
    }
    if (filled) {
      ctx.globalAlpha = 0.6
      ctx.fillStyle = colours.get(style.fill!) ?? '#444'
      ctx.fill('evenodd')
      ctx.globalAlpha = 1
      finish()
      held = -1
    }
    if (style.arrows) arrows.push(f)
  }
  finish()
  ctx.setLineDash([])
  for (const f of arrows) pointed(ctx, sketch, f, {x, y, scale}, w, h, colours)
}

/** Which way it flows: filled heads for fresh air and ways out, hollow ones for return air; so many as there is room. */
function pointed(ctx: Ctx, sketch: Sketch, f: number, {x, y, scale}: View, w: number, h: number, colours: ReadonlyMap<string, string>): void {
  const style = sketch.styles[sketch.style[f]!]!
  const hollow = sketch.flow[f] === 2
  // Ways out and air along one roadway: their heads stand between each other.
  const phase = style.of === 'escape' ? 0.2 : 0.7
  ctx.strokeStyle = colours.get(style.stroke ?? '--eq') ?? '#888'
  ctx.fillStyle = hollow ? (colours.get('--bg') ?? '#222') : ctx.strokeStyle
  ctx.lineWidth = 1.2
  const r = sketch.first[f]!
  const size = Math.max(5, Math.min(8, scale * 100 * 14))
  for (let k = sketch.ring[r]! + 1; k < sketch.ring[r + 1]!; k++) {
    const ax = w / 2 + (sketch.xy[2 * k - 2]! - x) * scale
    const ay = h / 2 - (sketch.xy[2 * k - 1]! - y) * scale
    const bx = w / 2 + (sketch.xy[2 * k]! - x) * scale
    const by = h / 2 - (sketch.xy[2 * k + 1]! - y) * scale
    const long = Math.hypot(bx - ax, by - ay)
    if (long < SHORT_PX) continue
    const many = Math.min(60, Math.max(1, Math.round(long / ARROW_PX)))
    const [ux, uy] = [(bx - ax) / long, (by - ay) / long]
    for (let n = 0; n < many; n++) {
      const s = (n + phase) / many
      const [mx, my] = [ax + (bx - ax) * s, ay + (by - ay) * s]
      if (mx < -10 || my < -10 || mx > w + 10 || my > h + 10) continue
      ctx.beginPath()
      ctx.moveTo(mx + ux * size, my + uy * size)
      ctx.lineTo(mx - ux * size * 0.7 - uy * size * 0.7, my - uy * size * 0.7 + ux * size * 0.7)
      ctx.lineTo(mx - ux * size * 0.7 + uy * size * 0.7, my - uy * size * 0.7 - ux * size * 0.7)
      ctx.closePath()
      ctx.fill()
      ctx.stroke()
    }
  }
}
