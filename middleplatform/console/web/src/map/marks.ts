/* What lives on the map: machines and sensors by state, alarms by shape, number and colour, values and names where
   there is room. Alarms come first, so that nothing takes their place. */
import type {State} from './engine'
import type {Feature} from './plan'
import type {View} from './sketch'

export interface Living {
  /** Points, and lines that are a machine. */
  live: readonly Feature[]
  /** Areas and lines that have a name to show. */
  named: readonly Feature[]
}
export interface Look {
  colour: (name: string) => string
  font: string
  name: (feature: Feature) => string
  state: (feature: Feature) => State | null
  visible: (feature: Feature) => boolean
  chosen: string | null
}
const PLAIN: State = {shown: 'plain', priority: 0, bad: false, label: '', speed: 0}
const CELL_X = 16
const CELL_Y = 14

/** Which places of a sheet have a text already; what is written first stays. */
class Room {
  private readonly taken = new Set<number>()
  static readonly widths = new Map<string, number>()
  constructor(private readonly ctx: CanvasRenderingContext2D) {}

  /** Nothing is written over what stands here. */
  keep(x: number, y: number): void {
    for (const dx of [-8, 8]) for (const dy of [-6, 6]) this.taken.add(Math.floor((y + dy) / CELL_Y) * 4096 + Math.floor((x + dx) / CELL_X))
  }

  write(text: string, x: number, y: number): void {
    const row = Math.floor(y / CELL_Y) * 4096
    if (this.taken.has(row + Math.floor(x / CELL_X))) return
    const {ctx, taken} = this
    let width = Room.widths.get(text)
    if (width === undefined) {
      if (Room.widths.size > 20_000) Room.widths.clear()
      Room.widths.set(text, (width = ctx.measureText(text).width))
    }
    const cells: number[] = []
    for (let a = Math.floor((x - width / 2) / CELL_X); a <= Math.floor((x + width / 2) / CELL_X); a++)
      for (let b = Math.floor((y - 7) / CELL_Y); b <= Math.floor((y + 7) / CELL_Y); b++) cells.push(b * 4096 + a)
    if (cells.some(cell => taken.has(cell))) return
    cells.forEach(cell => taken.add(cell))
    ctx.fillText(text, x, y)
  }
}

export function paintMarks(ctx: CanvasRenderingContext2D, {live, named}: Living, look: Look, view: View, w: number, h: number): void {
  const {colour} = look
  const px = (x: number): number => w / 2 + (x - view.x) * view.scale
  const py = (y: number): number => h / 2 - (y - view.y) * view.scale
  const metre = view.scale * 100
  const alarmed: [Feature, State, number, number][] = []
  const labels: [Feature, State, number, number][] = []
  const plain: number[] = []
  const running: number[] = []
  const stopped: number[] = []
  const bad: number[] = []
  let chosen: [number, number] | null = null
  for (const each of live) {
    if (!look.visible(each)) continue
    const ring = each.rings[0]!
    const at = each.kind === 'Point' ? 0 : Math.floor(ring.length / 4) * 2
    const [x, y] = [px(ring[at]!), py(ring[at + 1]!)]
    if (x < -20 || y < -20 || x > w + 20 || y > h + 20) continue
    const state = look.state(each) ?? PLAIN
    if (each.kind === 'Point') (state.bad ? bad : state.shown === 'running' ? running : state.shown === 'stopped' ? stopped : plain).push(x, y)
    if (state.priority) alarmed.push([each, state, x, y])
    else if (each.style.named && metre >= each.style.named) labels.push([each, state, x, y])
    if (each.equipment && each.equipment === look.chosen) chosen = [x, y]
  }
  ctx.fillStyle = ctx.strokeStyle = colour('--eq')
  ctx.lineWidth = 1.5
  for (let k = 0; k < plain.length; k += 2) ctx.fillRect(plain[k]! - 1.5, plain[k + 1]! - 1.5, 3, 3)
  for (let k = 0; k < stopped.length; k += 2) ctx.strokeRect(stopped[k]! - 3.5, stopped[k + 1]! - 3.5, 7, 7)
  ctx.fillStyle = colour('--run') || colour('--eq')
  for (let k = 0; k < running.length; k += 2) ctx.fillRect(running[k]! - 4, running[k + 1]! - 4, 8, 8)
  ctx.strokeStyle = colour('--bad')
  ctx.beginPath()
  for (let k = 0; k < bad.length; k += 2) {
    ctx.moveTo(bad[k]! + 4, bad[k + 1]!)
    ctx.arc(bad[k]!, bad[k + 1]!, 4, 0, 7)
  }
  ctx.stroke()

  const room = new Room(ctx)
  ctx.textAlign = 'center'
  ctx.textBaseline = 'middle'
  alarmed.sort((one, other) => one[1].priority - other[1].priority)
  for (let k = alarmed.length - 1; k >= 0; k--) alarm(ctx, look, alarmed[k]![1].priority, alarmed[k]![2], alarmed[k]![3])
  if (chosen) {
    ctx.strokeStyle = colour('--sel')
    ctx.lineWidth = 2
    ctx.strokeRect(chosen[0] - 11, chosen[1] - 11, 22, 22)
  }
  ctx.font = `12px ${look.font}`
  for (const [, , x, y] of alarmed) room.keep(x, y)
  ctx.fillStyle = colour('--text')
  for (const [feature, state, x, y] of alarmed) room.write(`${look.name(feature)} ${state.label}`.trim(), x, y - 18)
  for (const [, state, x, y] of labels)
    if (state.label) {
      ctx.fillStyle = colour(state.bad ? '--bad' : '--val')
      room.write(state.label, x, y + 14)
    }
  ctx.fillStyle = colour('--dim')
  for (const [feature, , x, y] of labels) room.write(look.name(feature), x, y - 13)
  for (const each of named) {
    if (metre < each.style.named! || !look.visible(each)) continue
    const [a, b, c, d] = each.box
    const [x, y] = [px((a + c) / 2), py((b + d) / 2)]
    if (x > 0 && y > 0 && x < w && y < h) room.write(look.name(each), x, y)
  }
}

/** By number, shape and colour. */
function alarm(ctx: CanvasRenderingContext2D, {colour, font}: Look, priority: number, x: number, y: number): void {
  const n = Math.min(4, priority)
  ctx.fillStyle = colour(`--p${n}`)
  ctx.beginPath()
  if (n === 1) ctx.rect(x - 8, y - 8, 16, 16)
  else if (n === 2) ctx.arc(x, y, 9, 0, 7)
  else if (n === 3) {
    ctx.moveTo(x, y - 10)
    ctx.lineTo(x + 10, y + 8)
    ctx.lineTo(x - 10, y + 8)
  } else {
    ctx.moveTo(x, y - 10)
    ctx.lineTo(x + 10, y)
    ctx.lineTo(x, y + 10)
    ctx.lineTo(x - 10, y)
  }
  ctx.fill()
  ctx.font = `bold 12px ${font}`
  ctx.fillStyle = colour(n === 1 ? '--on-p1' : '--on-p')
  ctx.fillText(String(priority), x, y + 1)
}
