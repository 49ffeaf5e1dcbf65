/* Where the nodes of a lineage stand: in layers from left to right, what something was made of to the right of it, and
   within a layer beside what leads to it, so that few lines cross. */
import type {Words} from '../../i18n'

export interface Node {
  id: string
  kind: string
  name: string
  label?: Words
  since_version?: number | null
  [fact: string]: unknown
}
export interface Edge {
  from: string
  to: string
  how: string
}
export interface Placed extends Node {
  x: number
  y: number
  layer: number
}
export interface Layout {
  nodes: Placed[]
  edges: Edge[]
  width: number
  height: number
  /** How wide a node is. */
  wide: number
}

const WIDEST = 210
const NARROWEST = 120
export const TALL = 56
const GAP_X = 46
const GAP_Y = 10
const EDGE = 8
const SWEEPS = 6

/** The longest way from the root to each node; a graph with a circle stops growing at its size. */
function layersOf(nodes: readonly Node[], edges: readonly Edge[]): Map<string, number> {
  const layer = new Map(nodes.map(node => [node.id, 0]))
  for (let round = 0; round < nodes.length; round += 1) {
    let moved = false
    for (const {from, to} of edges) {
      const next = (layer.get(from) ?? 0) + 1
      if (next > (layer.get(to) ?? 0) && next < nodes.length) {
        layer.set(to, next)
        moved = true
      }
    }
    if (!moved) break
  }
  return layer
}

/** `room`: how wide it may become, in px; many layers take more all the same. */
export function layout(nodes: readonly Node[], edges: readonly Edge[], room: number): Layout {
  const layer = layersOf(nodes, edges)
  const columns: Node[][] = []
  for (const node of nodes) (columns[layer.get(node.id)!] ??= []).push(node)
  for (let k = 0; k < columns.length; k += 1) columns[k] ??= []
  const place = new Map<string, number>()
  const number = (): void => columns.forEach(column => column.forEach((node, k) => place.set(node.id, k - column.length / 2)))
  number()
  for (let sweep = 0; sweep < SWEEPS; sweep += 1) {
    const forward = sweep % 2 === 0
    for (const column of forward ? columns : [...columns].reverse()) {
      const towards = new Map(column.map(node => {
        const beside = edges.flatMap(({from, to}) => (forward ? to === node.id && [from] : from === node.id && [to]) || [])
        const of = beside.map(id => place.get(id) ?? 0)
        return [node.id, of.length ? of.reduce((a, b) => a + b, 0) / of.length : (place.get(node.id) ?? 0)]
      }))
      column.sort((a, b) => towards.get(a.id)! - towards.get(b.id)!)
      column.forEach((node, k) => place.set(node.id, k - column.length / 2))
    }
  }
  const count = Math.max(1, columns.length)
  const wide = Math.floor(Math.max(NARROWEST, Math.min(WIDEST, (room - 2 * EDGE - (count - 1) * GAP_X) / count)))
  const tallest = Math.max(1, ...columns.map(column => column.length))
  const height = tallest * (TALL + GAP_Y) + GAP_Y
  const placed = columns.flatMap((column, k) => {
    const top = (height - column.length * (TALL + GAP_Y) + GAP_Y) / 2
    return column.map((node, at): Placed => ({...node, layer: k, x: k * (wide + GAP_X) + EDGE, y: top + at * (TALL + GAP_Y)}))
  })
  return {nodes: placed, edges: [...edges], width: count * (wide + GAP_X) - GAP_X + 2 * EDGE, height, wide}
}

/** A line from the right edge of one node to the left edge of another. */
export function line(from: Placed, to: Placed, wide: number): string {
  const [x1, y1, x2, y2] = [from.x + wide, from.y + TALL / 2, to.x, to.y + TALL / 2]
  const bend = Math.max(20, (x2 - x1) / 2)
  return `M${x1},${y1} C${x1 + bend},${y1} ${x2 - bend},${y2} ${x2},${y2}`
}
