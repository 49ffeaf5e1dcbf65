/* The moment that the map shows: now, or a past one, which the address holds as `at` (ms). A newer wish ends the request
   of an older one; what is played goes on from what was answered. */
import {computed, onBeforeUnmount, ref, shallowRef, watch} from 'vue'
import {get, wordsOf} from '../api/client'
import type {Alarm} from '../api/types'
import type {Sample} from '../live/values'
import {isInstant} from '../live/clock'
import {hold, route} from '../router'
import {may} from '../session'
import type {AlarmsThen, Then} from './api'

/** What the mine was at an instant (ms). `alarms` null: they may not be seen. */
export interface Snapshot {
  at: number
  samples: ReadonlyMap<string, Sample>
  alarms: readonly Alarm[] | null
  more: number
  watched: boolean
  incomplete: boolean
  backDays: number
}

export const SPEEDS = [1, 10, 60, 600] as const
const TICK_MS = 500
const REST_MS = 60
const HELD_MS = 400

function samplesOf(then: Then): Map<string, Sample> {
  const found = new Map<string, Sample>()
  then.point.forEach((path, k) => {
    const ts = then.ts[k]
    if (ts) found.set(path, {value: then.value[k] ?? null, text: then.text?.[k] ?? null, quality: then.quality[k] ?? 0, ts, manual: then.manual[k] ?? false})
  })
  return found
}

/** The moment (ms) that an address names; null for what is none, or is before all time that is kept: the map is live then. */
function wished(text: string): number | null {
  const ms = text.trim() ? Number(text) : NaN
  return ms >= 0 && isInstant(ms) ? Math.round(ms) : null
}

export function useMoment() {
  const named = computed(() => route.value.query.get('at') ?? '')
  const held = computed(() => wished(named.value))
  /** What the address names as a moment and is none. */
  const stray = computed(() => (held.value === null ? named.value : ''))
  /** The moment that is wished for, ms; null: now. */
  const at = ref<number | null>(held.value)
  const shown = shallowRef<Snapshot | null>(null)
  const wrong = ref('')
  const playing = ref(false)
  const speed = ref<number>(10)
  /** Nothing is known of it yet. */
  const future = ref(false)
  const busy = computed(() => at.value !== null && shown.value?.at !== at.value && !wrong.value && !future.value)
  let asking: AbortController | null = null
  let [resting, holding, ticking] = [0, 0, 0]

  function seek(wish: number | null): void {
    const next = wish === null || wish >= Date.now() ? null : Math.max(0, Math.round(wish))
    if (next === at.value && !stray.value) return
    at.value = next
    if (next === null) stop()
    clearTimeout(holding)
    // A browser refuses an address that is changed at every move of the slider.
    holding = setTimeout(() => hold({at: next === null ? null : String(next)}), next === null ? 0 : HELD_MS)
    clearTimeout(resting)
    resting = setTimeout(() => void look(), REST_MS)
  }

  async function look(): Promise<void> {
    asking?.abort()
    const wish = at.value
    wrong.value = ''
    future.value = wish !== null && wish > Date.now()
    if (wish === null || future.value) {
      stop()
      shown.value = null
      return
    }
    const mine = (asking = new AbortController())
    const time = wish * 1000
    try {
      const [then, alarms] = await Promise.all([
        get<Then>('live/at', {time}, mine.signal),
        may.value.has('alarm.read') ? get<AlarmsThen>('alarms/at', {time}, mine.signal) : null,
      ])
      shown.value = {
        at: wish,
        samples: samplesOf(then),
        alarms: alarms?.alarms ?? null,
        more: alarms ? alarms.total - alarms.alarms.length : 0,
        watched: alarms?.watched ?? true,
        incomplete: then.incomplete,
        backDays: Math.round(then.looked_back_s / 86_400),
      }
    } catch (error) {
      if (mine.signal.aborted) return
      stop()
      shown.value = null
      wrong.value = wordsOf(error)
    } finally {
      if (asking === mine) asking = null
    }
  }

  function play(): void {
    if (at.value === null) return
    playing.value = true
    let last = performance.now()
    clearInterval(ticking)
    ticking = setInterval(() => {
      const now = performance.now()
      if (!asking && at.value !== null && shown.value?.at === at.value) {
        seek(at.value + (now - last) * speed.value)
        last = now
      } else if (now - last > 4 * TICK_MS) last = now - TICK_MS
    }, TICK_MS)
  }
  function stop(): void {
    playing.value = false
    clearInterval(ticking)
  }

  // The way back, or a link: what the address says holds, unless it is what we are about to write there.
  watch(held, wish => {
    clearTimeout(holding)
    if (wish === at.value) return
    at.value = wish
    if (wish === null) stop()
    void look()
  })
  void look()
  onBeforeUnmount(() => {
    stop()
    asking?.abort()
    clearTimeout(resting)
    clearTimeout(holding)
  })
  return {at, shown, wrong, stray, future, busy, playing, speed, seek, play, stop, look}
}
export type Moment = ReturnType<typeof useMoment>
