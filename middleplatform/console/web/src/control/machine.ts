/* What holds of a machine now, or of linkages, asked of gateways every few seconds while somebody looks. */
import {onScopeDispose, ref, shallowRef, watch} from 'vue'
import {machineNow, type MachineNow} from './api'
import {wordsOf} from '../api/client'

const EVERY_MS = 2500
/** Of what two clocks may differ before gateways refuse by it. */
const SKEW_S = 4

export const lookedAt = (equipment: () => string, wanted: () => boolean) => looked<MachineNow>(machineNow, equipment, wanted)

/** What is asked of gateways about something, again and again; `every`: ms. */
export function looked<T extends {ts: number}>(ask: (of: string, signal: AbortSignal) => Promise<T>, of: () => string, wanted: () => boolean, every = EVERY_MS) {
  const facts = shallowRef<T | null>(null)
  /** The last that was known, for what does not change meanwhile: which points there are, and what each can be told. */
  const known = shallowRef<T | null>(null)
  const wrong = ref('')
  /** By how many seconds this computer's clock is off the platform's, where that matters. */
  const skew = ref(0)
  /** When what is known now was asked for, by this page's clock: what was ordered later is not in it. */
  const asked = ref(-Infinity)
  let asking: AbortController | null = null
  let timer = 0

  async function look(): Promise<void> {
    clearTimeout(timer)
    asking?.abort()
    const own = (asking = new AbortController())
    try {
      if (!document.hidden) {
        const sent = Date.now()
        const began = performance.now()
        const found = await ask(of(), own.signal)
        const off = ((sent + Date.now()) / 2 - found.ts / 1000) / 1000
        skew.value = Math.abs(off) - (Date.now() - sent) / 2000 > SKEW_S ? Math.round(off) : 0
        asked.value = began
        facts.value = known.value = found
        wrong.value = ''
      }
    } catch (error) {
      if (own.signal.aborted) return
      wrong.value = wordsOf(error)
      // What held a while ago is not what holds.
      facts.value = null
    }
    timer = window.setTimeout(() => void look(), every)
  }

  function end(): void {
    clearTimeout(timer)
    asking?.abort()
  }

  watch([of, wanted], ([, now]) => {
    end()
    facts.value = known.value = null
    asked.value = -Infinity
    wrong.value = ''
    if (now) void look()
  }, {immediate: true})
  onScopeDispose(end)
  return {facts, known, wrong, skew, asked, look}
}
