/* The map's features as the engine wants them: numbers in arrays, found again by where they are. */
import type {Words} from '../i18n'
import {styleOf, type Style} from './layers'
import {sketchOf, type Sketch} from './sketch'

export interface Told {
  id: string
  layer: string
  name: Words
  kind: 'Point' | 'LineString' | 'Polygon'
  rings: number[][]
  equipment: string | null
  area: string | null
  facts: Record<string, string | number>
}
export interface Feature extends Told {
  style: Style
  /** West, south, east, north, cm. */
  box: [number, number, number, number]
}
export interface Plan {
  /** From the back to the front. */
  features: Feature[]
  box: [number, number, number, number]
  byEquipment: Map<string, Feature>
  grid: Grid
  /** Points, and lines that are a machine: what is drawn anew each second. */
  live: Feature[]
  belts: Feature[]
  /** Lines and areas whose names are shown. */
  named: Feature[]
  sketch: Sketch
}

/** Features by squares of the mine, so that what is under the pointer is found without looking through all. */
export class Grid {
  private readonly cells = new Map<string, Feature[]>()
  constructor(features: Feature[], private readonly size: number) {
    for (const each of features) {
      if (each.kind !== 'Point') continue
      const key = this.key(each.rings[0]![0]!, each.rings[0]![1]!)
      const held = this.cells.get(key)
      if (held) held.push(each)
      else this.cells.set(key, [each])
    }
  }
  private key(x: number, y: number): string {
    return `${Math.floor(x / this.size)},${Math.floor(y / this.size)}`
  }
  /** Points within `reach` (cm) of a place. */
  near(x: number, y: number, reach: number): Feature[] {
    const found: Feature[] = []
    for (let a = Math.floor((x - reach) / this.size); a <= Math.floor((x + reach) / this.size); a++)
      for (let b = Math.floor((y - reach) / this.size); b <= Math.floor((y + reach) / this.size); b++)
        for (const each of this.cells.get(`${a},${b}`) ?? [])
          if (Math.hypot(each.rings[0]![0]! - x, each.rings[0]![1]! - y) <= reach) found.push(each)
    return found
  }
}

function boxOf(rings: number[][]): [number, number, number, number] {
  let [west, south, east, north] = [Infinity, Infinity, -Infinity, -Infinity]
  for (const ring of rings)
    for (let k = 0; k < ring.length; k += 2) {
      west = Math.min(west, ring[k]!)
      east = Math.max(east, ring[k]!)
      south = Math.min(south, ring[k + 1]!)
      north = Math.max(north, ring[k + 1]!)
    }
  return [west, south, east, north]
}

export function planOf(told: Told[]): Plan {
  const features = told.map(each => ({...each, style: styleOf(each.layer), box: boxOf(each.rings)}))
  features.sort((one, other) => one.style.z - other.style.z)
  const all = boxOf(features.map(each => each.box))
  const byEquipment = new Map<string, Feature>()
  for (const each of features) if (each.equipment) byEquipment.set(each.equipment, each)
  const lines = features.filter(each => each.kind === 'LineString' && each.equipment)
  return {
    features,
    box: features.length ? all : [0, 0, 1e5, 1e5],
    byEquipment,
    grid: new Grid(features, 20_000),
    live: features.filter(each => each.kind === 'Point' || (each.kind === 'LineString' && each.equipment)),
    belts: lines.filter(each => each.layer === 'belt'),
    named: features.filter(each => each.kind !== 'Point' && each.style.named && !(each.kind === 'LineString' && each.equipment)),
    sketch: sketchOf(features),
  }
}

/** How far (cm) a place is from a line. */
export function apart(ring: number[], x: number, y: number): number {
  let least = Infinity
  for (let k = 2; k < ring.length; k += 2) {
    const [ax, ay, bx, by] = [ring[k - 2]!, ring[k - 1]!, ring[k]!, ring[k + 1]!]
    const length = (bx - ax) ** 2 + (by - ay) ** 2
    const along = length ? Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length)) : 0
    least = Math.min(least, Math.hypot(ax + along * (bx - ax) - x, ay + along * (by - ay) - y))
  }
  return least
}
