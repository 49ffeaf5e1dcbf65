/* The alarms that are not at rest, live. */
import {ref, shallowRef} from 'vue'
import type {Board} from '../api/types'
import {LiveSocket} from '../live/socket'

export const board = shallowRef<Board | null>(null)
/** Counts what comes, once a second also where nothing changed: what has to go on in a window that nobody looks at goes
    by this, for browsers slow its timers down. */
export const beats = ref(0)

export const boardStream = new LiveSocket(
  'alarms/stream',
  () => ({subscribe: {area: null}}),
  frame => {
    const told = (frame as {board?: Board}).board
    if (told) board.value = told
    beats.value++
  },
)

export function forgetBoard(): void {
  boardStream.close()
  board.value = null
}
