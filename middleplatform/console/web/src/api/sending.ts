/* What a form sends: whether it is under way, and in plain words why it was refused. */
import {ref} from 'vue'
import {wordsOf} from './client'

export function sending() {
  const busy = ref(false)
  const wrong = ref('')

  /** Whether it went; what else is to be done then is the caller's. */
  async function send(work: () => Promise<unknown>): Promise<boolean> {
    busy.value = true
    wrong.value = ''
    try {
      await work()
      return true
    } catch (error) {
      wrong.value = wordsOf(error)
      return false
    } finally {
      busy.value = false
    }
  }
  return {busy, wrong, send}
}
