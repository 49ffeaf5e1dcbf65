/* One command from select to outcome: each order is given once, whatever is clicked how often. */
import {computed, onScopeDispose, ref, shallowRef, watch} from 'vue'
import {give, remember, type Told} from './orders'
import {armed, type Person} from './person'
import type {Words} from '../i18n'

export interface Wanted {
  equipment: string
  point: string
  gateway: string
  value: number
  /** A stop or a switching off: carried out without a select. */
  safe: boolean
  mode: string
  what: Words
  /** What it does: see api.ts. */
  effect: string
}
export type Phase = 'ready' | 'busy' | 'selected' | 'over'

/** So long after a step nothing is taken for a click at the next: it is the second one of a double click. */
const STEADY_MS = 600

export function attempt(second: () => Person | null) {
  const phase = ref<Phase>('ready')
  const doing = ref<'dry' | 'select' | 'execute' | ''>('')
  const told = shallowRef<Told | null>(null)
  const steady = ref(false)
  const left = ref(0)
  let selected: {wanted: Wanted; nonce: string; ends: number} | null = null
  let ticking = 0
  let settling = 0

  function settle(): void {
    steady.value = false
    clearTimeout(settling)
    settling = window.setTimeout(() => (steady.value = true), STEADY_MS)
  }

  function tick(): void {
    left.value = selected ? Math.max(0, (selected.ends - performance.now()) / 1000) : 0
    if (!left.value) clearInterval(ticking)
  }

  function anew(): void {
    clearInterval(ticking)
    selected = null
    told.value = null
    phase.value = 'ready'
    settle()
  }

  async function work<T>(what: 'dry' | 'select' | 'execute', order: () => Promise<T>): Promise<T | null> {
    if (phase.value === 'busy') return null
    phase.value = 'busy'
    doing.value = what
    try {
      return await order()
    } finally {
      doing.value = ''
      settle()
    }
  }

  const orderOf = ({point, gateway, value}: Wanted) => ({point, gateway, value})

  async function dry(wanted: Wanted): Promise<void> {
    const person = armed.value
    if (!person || phase.value !== 'ready') return
    const found = await work('dry', () => give({act: 'select', dry: true, ...orderOf(wanted)}, [person]))
    if (found) told.value = found
    phase.value = 'ready'
  }

  async function select(wanted: Wanted): Promise<void> {
    const person = armed.value
    if (!person || phase.value !== 'ready') return
    // From before it is sent: the gateway counts from when it came.
    const sent = performance.now()
    const found = await work('select', () => give({act: 'select', ...orderOf(wanted)}, [person]))
    if (!found) return
    told.value = found
    if (found.outcome !== 'selected' || armed.value !== person) {
      phase.value = 'ready'
      return
    }
    selected = {wanted, nonce: found.nonce ?? '', ends: sent + (found.expires_s ?? 0) * 1000}
    phase.value = 'selected'
    clearInterval(ticking)
    ticking = window.setInterval(tick, 250)
    tick()
  }

  /** Without a selection for what stops. */
  async function execute(wanted: Wanted): Promise<void> {
    const person = armed.value
    if (!person || (phase.value !== 'selected' && !(wanted.safe && phase.value === 'ready'))) return
    const of = selected?.wanted ?? wanted
    const other = second()
    const persons = other ? [person, other] : [person]
    const at = Date.now()
    clearInterval(ticking)
    const found = await work('execute', () => give({act: 'execute', ...orderOf(of), nonce: selected?.nonce ?? '', mode: of.safe ? '' : of.mode}, persons))
    if (!found) return
    told.value = found
    phase.value = 'over'
    remember(of.equipment, {what: of.what, point: of.point, effect: of.effect, by: persons.map(each => each.statement.name), at}, found)
  }

  watch(armed, () => {
    if (phase.value === 'selected' || phase.value === 'ready') anew()
  })
  settle()
  onScopeDispose(() => {
    clearInterval(ticking)
    clearTimeout(settling)
  })
  const lapsed = computed(() => phase.value === 'selected' && left.value <= 0)
  return {phase, doing, told, steady, left, lapsed, anew, dry, select, execute}
}
