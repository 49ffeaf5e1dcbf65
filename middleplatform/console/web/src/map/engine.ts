/* Shows a plan on a canvas in three layers: the plan as a bitmap that its own thread draws, moving belts, and a bitmap of
   what lives, drawn once a second. A pan only drags the bitmaps; they are drawn anew before their margin ends, and when
   it rests. The mine's centimetres become pixels here, in doubles; nothing else knows of pixels. */
import {FPS, paintBelts} from './belts'
import {paintMarks, type Look} from './marks'
import {apart, type Feature, type Plan} from './plan'
import {Plotter, type Drawn} from './plotter'
import type {View, Wish} from './sketch'

export type {View}
/** What a thing on the map is now. `shown`: how it is drawn; `priority`: of the worst alarm on it, 0 for none; `speed`:
    of a belt, m/s, 0 where none is told. */
export interface State {
  shown: 'running' | 'stopped' | 'unknown' | 'plain'
  priority: number
  bad: boolean
  label: string
  speed: number
}
export interface Words {
  name: (feature: Feature) => string
  state: (feature: Feature) => State | null
}

const PICK_PX = 9
/** Of the bitmaps beyond what is seen, as a part of it on each side. */
const MARGIN = 0.4
const REST_MS = 120
const [LEAST, MOST] = [0.0002, 2]
const still = matchMedia('(prefers-reduced-motion: reduce)')
const paper = matchMedia('print')

export class Engine {
  view: View = {x: 0, y: 0, scale: 0.01}
  hidden: ReadonlySet<string> = new Set<string>()
  chosen: string | null = null
  /** Whether belts may move: what is replayed stands still. */
  moving = true
  private plan: Plan | null = null
  private base: Drawn | null = null
  private marks: Drawn | null = null
  private readonly plotter = new Plotter(drawn => this.plotted(drawn))
  private readonly sheet = document.createElement('canvas')
  private readonly colours = new Map<string, string>()
  private font = ''
  private frame = 0
  private late = 0
  private beating = 0
  private readonly printed = (): void => this.renew(true)

  constructor(private readonly canvas: HTMLCanvasElement, private readonly words: Words) {
    paper.addEventListener('change', this.printed)
    still.addEventListener('change', this.draw)
  }

  show(plan: Plan): void {
    this.plan = plan
    this.base = this.marks = null
    this.plotter.show(plan.sketch)
    this.renew()
  }

  /** Colours, language, size or layers have changed. `now`: not a moment later. */
  renew(now = false): void {
    this.colours.clear()
    this.font = getComputedStyle(document.body).fontFamily
    this.marks = null
    if (now && this.plan && this.canvas.clientWidth) {
      this.base = this.plotter.here(this.wish())
      this.paint()
    } else {
      this.replot()
      this.draw()
    }
  }

  fit(box: readonly number[]): void {
    const {clientWidth: w, clientHeight: h} = this.canvas
    const scale = Math.min(w / Math.max(1, box[2]! - box[0]!), h / Math.max(1, box[3]! - box[1]!)) * 0.92
    this.look({x: (box[0]! + box[2]!) / 2, y: (box[1]! + box[3]!) / 2, scale})
  }

  look(view: View): void {
    this.view = {...view, scale: Math.min(MOST, Math.max(LEAST, view.scale))}
    this.draw()
  }

  zoom(factor: number, px: number, py: number): void {
    const [x, y] = this.place(px, py)
    const scale = Math.min(MOST, Math.max(LEAST, this.view.scale * factor))
    const {clientWidth: w, clientHeight: h} = this.canvas
    this.look({x: x - (px - w / 2) / scale, y: y + (py - h / 2) / scale, scale})
  }

  pan(dx: number, dy: number): void {
    this.look({...this.view, x: this.view.x - dx / this.view.scale, y: this.view.y + dy / this.view.scale})
  }

  /** A place of the mine under a pixel, cm. */
  place(px: number, py: number): [number, number] {
    const {clientWidth: w, clientHeight: h} = this.canvas
    return [this.view.x + (px - w / 2) / this.view.scale, this.view.y - (py - h / 2) / this.view.scale]
  }

  /** What lies under a pixel, the foremost. */
  pick(px: number, py: number): Feature | null {
    if (!this.plan) return null
    const [x, y] = this.place(px, py)
    const reach = PICK_PX / this.view.scale
    const points = this.plan.grid.near(x, y, reach).filter(this.visible)
    points.sort((a, b) => b.style.z - a.style.z)
    if (points[0]) return points[0]
    const lines = this.plan.live.filter(each => each.kind === 'LineString' && this.visible(each))
    return lines.reverse().find(each => apart(each.rings[0]!, x, y) <= reach) ?? null
  }

  /** Draw what lives anew; once a second. */
  live(): void {
    this.marks = null
    this.draw()
  }

  readonly draw = (): void => {
    if (!this.frame) this.frame = requestAnimationFrame(() => {
      this.frame = 0
      this.paint()
    })
  }

  end(): void {
    cancelAnimationFrame(this.frame)
    clearTimeout(this.late)
    clearTimeout(this.beating)
    paper.removeEventListener('change', this.printed)
    still.removeEventListener('change', this.draw)
    this.plotter.end()
  }

  private readonly visible = (feature: Feature): boolean =>
    !this.hidden.has(feature.style.of) && this.view.scale * 100 >= (feature.style.from ?? 0)

  private readonly colour = (name: string): string => {
    let found = this.colours.get(name)
    if (found === undefined) this.colours.set(name, (found = getComputedStyle(document.documentElement).getPropertyValue(name).trim()))
    return found
  }

  private wish(): Wish {
    const {clientWidth: w, clientHeight: h} = this.canvas
    for (const {stroke, fill} of this.plan!.sketch.styles) for (const name of [stroke ?? '--eq', fill ?? '--eq', '--bg']) this.colour(name)
    return {view: {...this.view}, w: w * (1 + 2 * MARGIN), h: h * (1 + 2 * MARGIN), ratio: devicePixelRatio, hidden: new Set(this.hidden), colours: new Map(this.colours)}
  }

  private replot(): void {
    clearTimeout(this.late)
    this.late = 0
    if (this.plan && this.canvas.clientWidth) this.plotter.ask(this.wish())
  }

  private plotted(drawn: Drawn): void {
    if (this.base?.picture instanceof ImageBitmap) this.base.picture.close()
    this.base = drawn
    this.draw()
  }

  /** How much of the sheet's width or height a picture lies off, Infinity at another scale. */
  private off(drawn: Drawn | null, w: number, h: number): number {
    const {view} = this
    if (drawn?.view.scale !== view.scale) return Infinity
    return Math.max(Math.abs(drawn.view.x - view.x) / w, Math.abs(drawn.view.y - view.y) / h) * view.scale
  }

  private paint(): void {
    const {canvas, plan} = this
    const ratio = devicePixelRatio
    const [w, h] = [canvas.clientWidth, canvas.clientHeight]
    if (!w || !h || !plan) return
    if (canvas.width !== Math.round(w * ratio) || canvas.height !== Math.round(h * ratio)) {
      canvas.width = Math.round(w * ratio)
      canvas.height = Math.round(h * ratio)
    }
    const off = this.off(this.base, w, h)
    // The plan's thread begins before the margin ends; at another scale, once the hand rests.
    if (off !== Infinity && off > MARGIN / 2) this.replot()
    else if (off > 0 && !this.late) this.late = setTimeout(() => this.replot(), REST_MS)
    const marked = this.off(this.marks, w, h)
    if (!this.marks || (marked !== Infinity && marked > MARGIN) || (marked === Infinity && off < 1e-9)) this.mark(w, h, ratio)
    const ctx = canvas.getContext('2d', {alpha: false})!
    ctx.setTransform(1, 0, 0, 1, 0, 0)
    ctx.fillStyle = this.colour('--bg')
    ctx.fillRect(0, 0, canvas.width, canvas.height)
    this.blit(ctx, this.base, ratio)
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    const belts = plan.belts.filter(this.visible)
    const moves = paintBelts(ctx, belts, this.words.state, this.colour, this.view, w, h, performance.now() / 1000)
    this.blit(ctx, this.marks, ratio)
    clearTimeout(this.beating)
    if (moves && this.moving && !still.matches && !document.hidden) this.beating = setTimeout(this.draw, 1000 / FPS)
  }

  private blit(ctx: CanvasRenderingContext2D, drawn: Drawn | null, ratio: number): void {
    if (!drawn) return
    const {view, canvas} = this
    const grown = (view.scale / drawn.view.scale) * ratio
    const [bw, bh] = [drawn.w * grown, drawn.h * grown]
    const left = canvas.width / 2 + (drawn.view.x - view.x) * view.scale * ratio - bw / 2
    const top = canvas.height / 2 - (drawn.view.y - view.y) * view.scale * ratio - bh / 2
    ctx.setTransform(1, 0, 0, 1, 0, 0)
    // Whole pixels while nothing is stretched: copying is faster than resampling, and lines stay sharp.
    if (grown === ratio) ctx.drawImage(drawn.picture, Math.round(left), Math.round(top))
    else ctx.drawImage(drawn.picture, left, top, bw, bh)
  }

  private mark(w: number, h: number, ratio: number): void {
    const [sw, sh] = [w * (1 + 2 * MARGIN), h * (1 + 2 * MARGIN)]
    const [pw, ph] = [Math.round(sw * ratio), Math.round(sh * ratio)]
    if (this.sheet.width !== pw || this.sheet.height !== ph) Object.assign(this.sheet, {width: pw, height: ph})
    const ctx = this.sheet.getContext('2d')!
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0)
    ctx.clearRect(0, 0, sw, sh)
    const look: Look = {colour: this.colour, font: this.font, name: this.words.name, state: this.words.state, visible: this.visible, chosen: this.chosen}
    paintMarks(ctx, this.plan!, look, this.view, sw, sh)
    this.marks = {picture: this.sheet, view: {...this.view}, w: sw, h: sh}
  }
}
