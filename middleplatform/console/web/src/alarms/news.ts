/* Which alarms are new since the last board: what nobody acknowledged and was not there, or was raised again. */
import type {Board} from '../api/types'

export interface News {
  /** The most urgent of what is new, null where nothing is. */
  fresh: number | null
  /** The most urgent of what waits for somebody, null where nothing does. */
  waits: number | null
}

export class Newsreader {
  private known: Map<number, number> | null = null
  /** The newest raise that was read (µs). */
  latest = 0

  /** `heard`: what was raised up to then (µs) is not new in the first board. */
  constructor(private readonly heard: number) {}

  read(board: Board): News {
    const next = new Map<number, number>()
    let fresh: number | null = null
    let waits: number | null = null
    for (const group of board.groups) {
      const before = this.known
      let latest = 0
      group.alarms.forEach((id, k) => {
        const since = group.sinces[k] ?? 0
        next.set(id, since)
        this.latest = Math.max(this.latest, since)
        if ((before ? before.get(id) ?? -1 : this.heard) < since) latest = Math.max(latest, since)
      })
      if (!group.unacknowledged) continue
      waits = Math.min(waits ?? 9, group.priority)
      if (latest) fresh = Math.min(fresh ?? 9, group.priority)
    }
    this.known = next
    return {fresh, waits}
  }

  forget(): void {
    this.known = null
  }
}
