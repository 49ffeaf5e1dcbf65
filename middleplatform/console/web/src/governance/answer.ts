/* What the platform answers to a question that changes while one types and chooses: the newest question alone counts,
   older ones are given up, and so is the last one when the page is left. */
import {computed, onScopeDispose, ref, shallowRef, watch, type ComputedRef, type Ref, type ShallowRef} from 'vue'
import {address, get, wordsOf, type Asked} from '../api/client'

export interface Question {
  path: string
  asked?: Asked
}
export interface Answer<T> {
  said: ShallowRef<T | null>
  wrong: ComputedRef<string>
  busy: Ref<boolean>
  again: () => void
}

/** `question`: null while there is nothing to ask. `wait`: milliseconds without another change before it is asked. */
export function answer<T>(question: () => Question | null, wait = 0): Answer<T> {
  const said = shallowRef<T | null>(null)
  const failure = shallowRef<unknown>(null)
  const busy = ref(false)
  let asking = new AbortController()
  let timer = 0

  async function ask(): Promise<void> {
    const wanted = question()
    asking.abort()
    asking = new AbortController()
    if (!wanted) {
      said.value = failure.value = null
      busy.value = false
      return
    }
    const {signal} = asking
    busy.value = true
    try {
      said.value = await get<T>(wanted.path, wanted.asked, signal)
      failure.value = null
    } catch (error) {
      if (signal.aborted) return
      said.value = null
      failure.value = error
    }
    if (!signal.aborted) busy.value = false
  }

  const key = computed(() => {
    const wanted = question()
    return wanted && address(wanted.path, wanted.asked)
  })
  watch(key, (_, before) => {
    clearTimeout(timer)
    if (before !== undefined && wait) timer = setTimeout(() => void ask(), wait)
    else void ask()
  }, {immediate: true})
  onScopeDispose(() => {
    clearTimeout(timer)
    asking.abort()
  })
  return {said, busy, wrong: computed(() => (failure.value ? wordsOf(failure.value) : '')), again: () => void ask()}
}
