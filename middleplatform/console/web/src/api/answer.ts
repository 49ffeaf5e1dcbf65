/* What a page asks of the platform: asked anew when what it depends on changes, given up when the page is left. */
import {onScopeDispose, ref, shallowRef, watchEffect, type Ref, type ShallowRef} from 'vue'
import {address, get, Refusal, wordsOf, type Asked} from './client'

export interface Question {
  path: string
  asked?: Asked
}
export interface Answer<T> {
  /** To the question as it stands now: gone as soon as that changes. */
  value: ShallowRef<T | null>
  /** The newest answer, be it to the question before: for what keeps its place meanwhile, such as a choice or a pager. */
  last: ShallowRef<T | null>
  wrong: Ref<string>
  /** Of the refusal: its HTTP status, 0 where the platform did not answer or nothing is wrong. */
  status: Ref<number>
  busy: Ref<boolean>
  /** Ask once more; what is shown stays until the answer is there. */
  again: () => void
}

/** `ask` says what to ask, and what stays the same is not asked anew; or it asks itself, and then reads all that it depends
 *  on before it awaits anything. null: there is nothing to ask. `every`: seconds after which it is asked again of itself.
 *  `wait`: milliseconds without another change before a question is asked, where one types. */
export function answer<T>(ask: (signal: AbortSignal) => Promise<T> | Question | null, every: () => number | null = () => null, wait = 0): Answer<T> {
  const [value, last] = [shallowRef<T | null>(null), shallowRef<T | null>(null)]
  const [wrong, status, busy, turn] = [ref(''), ref(0), ref(false), ref(0)]
  let asking = new AbortController()
  let shown = 0
  let key: string | null | undefined
  let timer = 0

  async function hear(said: Promise<T>, signal: AbortSignal): Promise<void> {
    try {
      const heard = await said
      if (signal.aborted) return
      value.value = last.value = heard
    } catch (error) {
      if (signal.aborted) return
      value.value = last.value = null
      wrong.value = wordsOf(error)
      status.value = error instanceof Refusal ? error.status : 0
    }
    busy.value = false
    const seconds = every()
    if (seconds) timer = setTimeout(() => turn.value++, seconds * 1000)
  }

  watchEffect(() => {
    const own = new AbortController()
    const wanted = ask(own.signal)
    const question = wanted && !(wanted instanceof Promise) ? wanted : null
    const named = question && address(question.path, question.asked)
    const again = turn.value !== shown
    if (named !== null && named === key && !again) return
    asking.abort()
    asking = own
    clearTimeout(timer)
    const typed = wait > 0 && key !== undefined && !again
    shown = turn.value
    key = named
    if (!again) value.value = null
    if (!wanted) last.value = null
    wrong.value = ''
    status.value = 0
    busy.value = wanted !== null
    if (wanted instanceof Promise) void hear(wanted, own.signal)
    else if (question) {
      const send = (): void => void hear(get<T>(question.path, question.asked, own.signal), own.signal)
      if (typed) timer = setTimeout(send, wait)
      else send()
    }
  })
  onScopeDispose(() => {
    clearTimeout(timer)
    asking.abort()
  })
  return {value, last, wrong, status, busy, again: () => turn.value++}
}
