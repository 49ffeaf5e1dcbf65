/* What a page asks for again and again while it is open, and nothing once it is left. */
import {onBeforeUnmount, ref, shallowRef, type Ref, type ShallowRef} from 'vue'
import {wordsOf} from '../api/client'

export interface Polled<T> {
  /** The newest answer; null before there is one. */
  said: ShallowRef<T | null>
  /** Why there is none, or none newer. */
  wrong: Ref<string>
  /** When it came, ms; 0 before. */
  at: Ref<number>
  again: () => void
}

/** Ask now and so many seconds after each answer. */
export function polled<T>(ask: (signal: AbortSignal) => Promise<T>, every_s: number): Polled<T> {
  const said = shallowRef<T | null>(null)
  const wrong = ref('')
  const at = ref(0)
  let asking = new AbortController()
  let timer = 0
  let left = false

  async function look(): Promise<void> {
    clearTimeout(timer)
    asking.abort()
    const mine = (asking = new AbortController())
    try {
      const answer = await ask(mine.signal)
      if (mine.signal.aborted) return
      said.value = answer
      at.value = Date.now()
      wrong.value = ''
    } catch (error) {
      if (mine.signal.aborted) return
      wrong.value = wordsOf(error)
    }
    if (!left) timer = setTimeout(() => void look(), every_s * 1000)
  }
  void look()
  onBeforeUnmount(() => {
    left = true
    clearTimeout(timer)
    asking.abort()
  })
  return {said, wrong, at, again: () => void look()}
}
