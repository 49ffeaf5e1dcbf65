/* A chain of belts laid out in the order that the coal flows: the last of them on the right, what feeds it to its left. */
import {machines, type Equipment} from '../../mine/catalogue'

export interface Placed {
  machine: Equipment
  column: number
  row: number
}

/** The belts that are one line with this one. */
export function line(id: string): Placed[] {
  const feeding = new Map<string, Equipment[]>()
  for (const each of machines.value.values()) {
    if (!each.feeds) continue
    const of = feeding.get(each.feeds)
    if (of) of.push(each)
    else feeding.set(each.feeds, [each])
  }
  // To the last belt down the line; a map that goes in a ring ends where it comes back.
  let end = machines.value.get(id)
  const passed = new Set<string>()
  while (end?.feeds && !passed.has(end.id) && machines.value.has(end.feeds)) {
    passed.add(end.id)
    end = machines.value.get(end.feeds)
  }
  if (!end) return []
  const found: Placed[] = []
  const seen = new Set<string>()
  let row = 0
  const place = (machine: Equipment, depth: number): void => {
    seen.add(machine.id)
    const own: Placed = {machine, column: depth, row}
    found.push(own)
    const feeders = (feeding.get(machine.id) ?? []).filter(each => !seen.has(each.id))
    feeders.forEach((each, k) => {
      if (k) row += 1
      place(each, depth + 1)
    })
  }
  place(end, 0)
  const depth = Math.max(...found.map(each => each.column))
  return found.map(each => ({...each, column: depth - each.column}))
}
