/* Of all windows of the console in one browser one sounds: that which may, and of these the one that was opened first. */
import {ref} from 'vue'

interface Said { id: string; able?: boolean; silenced?: boolean; muted?: boolean; gone?: boolean }
const LOST_MS = 4000
/** Begins with when the window was opened: the first sorts first. */
const ID = `${String(performance.timeOrigin).padStart(18, '0')} ${Math.random()}`

const others = new Map<string, {able: boolean; at: number}>()
const channel = typeof BroadcastChannel === 'undefined' ? null : new BroadcastChannel('sevenones-alarm-sound')
/** Whether it is this window that sounds. */
export const mineSounds = ref(true)
let able = false
let heard: (said: {silenced?: boolean; muted?: boolean}) => void = () => {}

export function whenTold(done: typeof heard): void {
  heard = done
}
export function tell(said: {silenced?: boolean; muted?: boolean}): void {
  channel?.postMessage({id: ID, ...said} satisfies Said)
}

function judge(): void {
  const now = Date.now()
  for (const [id, other] of others) if (now - other.at > LOST_MS) others.delete(id)
  const first = [...others].some(([id, other]) => (other.able === able ? id < ID : other.able))
  mineSounds.value = !first
}

/** To be called each second: says that this window is there and whether it may sound. */
export function beat(canNow: boolean): void {
  able = canNow
  channel?.postMessage({id: ID, able} satisfies Said)
  judge()
}

channel?.addEventListener('message', message => {
  const said = message.data as Said
  if (said.able !== undefined) others.set(said.id, {able: said.able, at: Date.now()})
  if (said.gone) others.delete(said.id)
  if (said.silenced !== undefined || said.muted !== undefined) heard(said)
  judge()
})
addEventListener('pagehide', () => channel?.postMessage({id: ID, gone: true} satisfies Said))
