/* What is asked once for an address, and given up when the address is another one or the page is left. */
import {onBeforeUnmount, ref, shallowRef, watch, type Ref, type ShallowRef} from 'vue'
import {wordsOf} from '../api/client'

export function once<T>(of: () => unknown, ask: (signal: AbortSignal) => Promise<T>): {found: ShallowRef<T | null>; wrong: Ref<string>; renew: () => Promise<void>} {
  const found = shallowRef<T | null>(null)
  const wrong = ref('')
  let asking = new AbortController()
  async function renew(): Promise<void> {
    asking.abort()
    const mine = (asking = new AbortController())
    try {
      const said = await ask(mine.signal)
      if (mine.signal.aborted) return
      found.value = said
      wrong.value = ''
    } catch (error) {
      if (!mine.signal.aborted) wrong.value = wordsOf(error)
    }
  }
  watch(() => JSON.stringify(of()), () => {
    found.value = null
    wrong.value = ''
    void renew()
  })
  onBeforeUnmount(() => asking.abort())
  void renew()
  return {found, wrong, renew}
}
