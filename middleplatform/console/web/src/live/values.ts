/* What every point is now. A component that shows a point is drawn anew only when that point changed. */
import {shallowRef, type ShallowRef} from 'vue'
import type {Frame} from '../api/types'
import {LiveSocket} from './socket'

export interface Sample {
  value: number | null
  text: string | null
  quality: number
  ts: number
  manual: boolean
}

const cells = new Map<string, ShallowRef<Sample | null>>()
let places: ShallowRef<Sample | null>[] = []
let refused: () => void = () => {}

/** The newest sample of a point, by its path; null before there was any. */
export function sampleOf(path: string): ShallowRef<Sample | null> {
  let cell = cells.get(path)
  if (!cell) cells.set(path, (cell = shallowRef<Sample | null>(null)))
  return cell
}

function take(frame: Frame): void {
  if (frame.error) {
    if (frame.error.code === 'unauthorised') refused()
    return
  }
  if (frame.snapshot) places = frame.snapshot.points.map(sampleOf)
  frame.i.forEach((place, k) => {
    const cell = places[place]
    if (!cell) return
    cell.value = {
      value: frame.v[k] ?? null,
      text: frame.s?.[k] ?? null,
      quality: frame.q[k] ?? 0,
      ts: frame.ts[k] ?? 0,
      manual: frame.m?.[k] ?? false,
    }
  })
}

export const stream = new LiveSocket('stream', () => ({subscribe: {all: true}}), frame => take(frame as Frame))

export function whenRefused(done: () => void): void {
  refused = done
}

export function forget(): void {
  stream.close()
  cells.forEach(cell => {
    cell.value = null
  })
}
