/* What is asked anew whenever the board of alarms is another one, at most once in so long, and never twice at once. */
import {onBeforeUnmount, ref, shallowRef, watch, type Ref, type ShallowRef} from 'vue'
import {board} from './board'
import {Refusal, wordsOf} from '../api/client'

const LEAST_MS = 1000

export interface Refreshed<T> {
  found: ShallowRef<T | null>
  wrong: Ref<string>
  status: Ref<number>
  renew: () => void
}

/** `ask` null: nothing is asked. `of`: what else it depends on; while that is new, what was found of the old is gone. */
export function refreshed<T>(of: () => unknown, ask: () => ((signal: AbortSignal) => Promise<T>) | null): Refreshed<T> {
  const found = shallowRef<T | null>(null)
  const wrong = ref('')
  const status = ref(200)
  let asking: AbortController | null = null
  let timer = 0
  let last = 0
  let again = false

  async function look(): Promise<void> {
    clearTimeout(timer)
    timer = 0
    const wanted = ask()
    if (!wanted) return
    const mine = (asking = new AbortController())
    last = Date.now()
    try {
      const said = await wanted(mine.signal)
      if (mine !== asking) return
      found.value = said
      wrong.value = ''
      status.value = 200
    } catch (error) {
      if (mine !== asking || mine.signal.aborted) return
      wrong.value = wordsOf(error)
      status.value = error instanceof Refusal ? error.status : 0
    }
    asking = null
    if (again) later()
    again = false
  }
  function later(): void {
    if (asking) {
      again = true
      return
    }
    if (!timer) timer = window.setTimeout(() => void look(), Math.max(0, last + LEAST_MS - Date.now()))
  }
  function anew(): void {
    asking?.abort()
    asking = null
    again = false
    void look()
  }
  watch(of, (now, before) => {
    if (JSON.stringify(now) === JSON.stringify(before)) return
    found.value = null
    wrong.value = ''
    anew()
  })
  watch(board, later)
  onBeforeUnmount(() => {
    clearTimeout(timer)
    asking?.abort()
    asking = null
  })
  void look()
  return {found, wrong, status, renew: anew}
}
