/* What a page asks of the platform: asked anew when what it depends on changes, given up when the page is left. */
import {onBeforeUnmount, ref, shallowRef, watchEffect, type Ref, type ShallowRef} from 'vue'
import {Refusal, wordsOf} from './client'

export interface Answer<T> {
  value: ShallowRef<T | null>
  wrong: Ref<string>
  /** Of the refusal: its HTTP status, 0 where the platform did not answer or nothing is wrong. */
  status: Ref<number>
  busy: Ref<boolean>
  /** Ask once more; what is shown stays until the answer is there. */
  again: () => void
}

/** `ask` reads all that it depends on before it awaits anything; null: there is nothing to ask. `every`: seconds after which
 *  it is asked again of itself. */
export function answer<T>(ask: (signal: AbortSignal) => Promise<T> | null, every: () => number | null = () => null): Answer<T> {
  const value = shallowRef<T | null>(null)
  const [wrong, status, busy, turn] = [ref(''), ref(0), ref(false), ref(0)]
  let shown = 0
  let timer = 0
  watchEffect(onCleanup => {
    const leaving = new AbortController()
    onCleanup(() => leaving.abort())
    clearTimeout(timer)
    if (turn.value === shown) value.value = null
    shown = turn.value
    wrong.value = ''
    status.value = 0
    const asked = ask(leaving.signal)
    busy.value = asked !== null
    asked
      ?.then(said => {
        if (!leaving.signal.aborted) value.value = said
      })
      .catch((error: unknown) => {
        if (leaving.signal.aborted) return
        value.value = null
        wrong.value = wordsOf(error)
        status.value = error instanceof Refusal ? error.status : 0
      })
      .finally(() => {
        if (leaving.signal.aborted) return
        busy.value = false
        const seconds = every()
        if (seconds) timer = setTimeout(() => turn.value++, seconds * 1000)
      })
  })
  onBeforeUnmount(() => clearTimeout(timer))
  return {value, wrong, status, busy, again: () => turn.value++}
}
