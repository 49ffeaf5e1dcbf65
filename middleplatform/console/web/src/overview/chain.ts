/* The main haulage: the longest way of belts to the surface, from a face where there are several. */
import type {Equipment, Mine} from '../mine/catalogue'

export interface Chain {
  /** From the one farthest in to the one that leaves the mine. */
  main: Equipment[]
  /** Those that feed it from aside. */
  aside: Equipment[]
  /** Whether the map told it; else they stand in the site's order. */
  told: boolean
}

export function chainOf(mine: Mine, belts: Equipment[]): Chain {
  const feeds = Object.fromEntries(belts.map(belt => [belt.id, belt.feeds]))
  const of = new Map(belts.map(belt => [belt.id, belt]))
  const drawn = belts.filter(belt => belt.feeds !== null || belts.some(other => other.feeds === belt.id))
  if (!drawn.length) return {main: belts, aside: [], told: false}
  const faces = new Set(mine.equipment.filter(each => each.subsystem === 'mining').map(each => each.area))
  const way = (id: string): string[] => {
    const found = [id]
    for (let next = feeds[id]; next && of.has(next) && !found.includes(next); next = feeds[next]) found.push(next)
    return found
  }
  const rank = (of_: Equipment): number => way(of_.id).length * 2 + (faces.has(of_.area) ? 1 : 0)
  const longest = way(drawn.reduce((most, each) => (rank(each) > rank(most) ? each : most)).id)
  return {main: longest.map(id => of.get(id)!), aside: belts.filter(belt => !longest.includes(belt.id)), told: true}
}
