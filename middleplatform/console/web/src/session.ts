/* Who is signed in, and what they may. */
import {computed, shallowRef} from 'vue'
import {get, post, use, whenEnded} from './api/client'
import type {Me} from './api/types'

export const me = shallowRef<Me | null>(null)
/** Whether the platform was asked who we are. */
export const asked = shallowRef(false)
/** Whether a session ended under the user's hands, so that the sign-in says so. */
export const expired = shallowRef(false)

export const may = computed(() => new Set(me.value?.permissions ?? []))

/** Whether this browser may hold a session: its cookie is kept from scripts. Without, the platform need not be asked. */
const SIGNED = 'signed'

function enter(said: Me): void {
  localStorage.setItem(SIGNED, '1')
  use(said.csrf)
  expired.value = false
  me.value = said
}

/** Raises Refusal where the platform does not answer. */
export async function begin(): Promise<void> {
  try {
    if (localStorage.getItem(SIGNED)) enter(await get<Me>('me'))
  } finally {
    asked.value = true
  }
}

export async function signIn(user: string, password: string): Promise<void> {
  const opened = await post<{csrf: string}>('sign-in', {user, password, cookie: true})
  use(opened.csrf)
  enter(await get<Me>('me'))
}

export async function changePassword(old: string, fresh: string): Promise<void> {
  const opened = await post<{csrf: string}>('me/password', {old, new: fresh})
  use(opened.csrf)
  enter(await get<Me>('me'))
}

export async function signOut(): Promise<void> {
  await post('sign-out', {}).catch(() => null)
  leave()
}

export function leave(): void {
  use(null)
  localStorage.removeItem(SIGNED)
  me.value = null
}

/** The session is over, by its time or elsewhere: the page says so. */
export function end(): void {
  expired.value = me.value !== null
  leave()
}
whenEnded(end)
