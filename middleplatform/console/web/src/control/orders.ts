/* Signed orders on their way, each given once; what came of the last one at each machine. */
import {shallowReactive, shallowRef, watch, type ShallowRef} from 'vue'
import type {OrderAnswer} from './api'
import {feedbackOf, type Feedback} from './feedback'
import {envelope, type Person} from './person'
import {t} from './words'
import {post, Refusal} from '../api/client'
import type {Words} from '../i18n'
import {mine} from '../mine/catalogue'

export type Act = 'select' | 'execute' | 'tag' | 'untag' | 'take' | 'hand' | 'settle' | 'restore'
export interface Asked {
  act: Act
  gateway: string
  /** One id at all gateways, so that a tag has the same at each. */
  id?: string
  point?: string
  equipment?: string
  value?: number
  nonce?: string
  mode?: string
  reason?: string
  to?: string
  dry?: boolean
}
/** `reached`: false when the platform refused it, so that no gateway has it; `lost`: nobody answered, so that not even the
 *  gateway need know of it. */
export interface Told extends OrderAnswer {
  reached: boolean
  lost: boolean
}

const WITHIN_S = 10
/** The platform waits for a gateway so much longer than the order is good. */
export const ANSWER_S = 20
/** Between two tries to have the answer of one execute. */
const AGAIN_MS = 800
/** What a gateway refuses of an execute by these says nothing about its first coming: that it came before, or is late by now. */
const OF_ANOTHER_COMING = new Set(['signature', 'credential', 'order'])

/** An id that no other order has. */
export function fresh(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), each => each.toString(16).padStart(2, '0')).join('')
}

/** Sign an order, have it sent, and say what came of it. Without an answer the outcome is unknown, never a failure; an
 *  execute is asked after by the very same bytes as long as they are good, which do nothing twice: the gateway gives its
 *  first answer again. */
export async function give(asked: Asked, persons: readonly Person[]): Promise<Told> {
  const {id = fresh(), ...rest} = asked
  const order: Record<string, unknown> = {
    id,
    site: mine.value!.code,
    serial: persons[0]!.statement.serial,
    // By this computer's clock: one who could set it from outside could keep an order for later.
    deadline: Math.round((Date.now() + WITHIN_S * 1000) * 1000),
  }
  for (const [name, value] of Object.entries(rest)) if (value !== undefined && value !== '' && value !== false) order[name] = value
  let sealed: object
  try {
    sealed = await envelope(order, persons)
  } catch (error) {
    return mute('refused', {zh: t('not_signed', String(error)), en: t('not_signed', String(error))}, false)
  }
  const until = asked.act === 'execute' ? (order.deadline as number) / 1000 - AGAIN_MS : 0
  let told = await sent(asked.act, sealed)
  while (told.lost && Date.now() < until) {
    await new Promise(go => window.setTimeout(go, AGAIN_MS))
    const again = await sent(asked.act, sealed)
    const failed = again.trace.find(each => !each.passed)?.check
    if (again.reached && !(again.outcome === 'refused' && (!failed || OF_ANOTHER_COMING.has(failed)))) told = again
  }
  return told
}

async function sent(act: Act, sealed: object): Promise<Told> {
  try {
    return {...(await within(post<OrderAnswer>(`control/${act}`, sealed))), reached: true, lost: false}
  } catch (error) {
    if (error instanceof Refusal && error.status >= 400 && error.status < 500) return mute('refused', {zh: error.zh, en: error.en}, false)
    const words = error instanceof Refusal ? {zh: error.zh, en: error.en} : {zh: String(error), en: String(error)}
    return mute('unknown', words, true)
  }
}

const mute = (outcome: OrderAnswer['outcome'], reason: Words, reached: boolean): Told => ({outcome, reason, trace: [], reached, lost: outcome === 'unknown'})

function within<T>(answer: Promise<T>): Promise<T> {
  let timer = 0
  const late = new Promise<never>((_, refuse) => {
    timer = window.setTimeout(() => refuse(new Refusal(0, 'no_answer', '平台没有应答', 'the platform does not answer')), (WITHIN_S + ANSWER_S) * 1000)
  })
  return Promise.race([answer, late]).finally(() => clearTimeout(timer))
}

/** A command as it is given: by whom it is signed, when (ms), and what it does (see api.ts). */
export interface Given {
  what: Words
  point: string
  effect: string
  by: readonly string[]
  at: number
}
/** What came of a command, kept beyond its dialogue. `ended`: when it was answered, by the page's own clock. `feedback`:
 *  what its machine says, until that once agrees: what the machine does later is not this command's. */
export interface Past extends Given {
  told: Told
  ended: number
  feedback: ShallowRef<Feedback | null>
}
const MOST = 50
export const past = shallowReactive(new Map<string, Past>())

export function remember(equipment: string, given: Given, told: Told): void {
  forgetPast(equipment)
  const feedback = shallowRef<Feedback | null>(null)
  past.set(equipment, {...given, told, ended: performance.now(), feedback})
  if (told.outcome === 'done') watched.set(equipment, follow(equipment, given.effect, feedback))
  if (past.size > MOST) forgetPast(past.keys().next().value!)
}

const watched = new Map<string, () => void>()
export function forgetPast(equipment: string): void {
  watched.get(equipment)?.()
  watched.delete(equipment)
  past.delete(equipment)
}

function follow(equipment: string, effect: string, feedback: ShallowRef<Feedback | null>): () => void {
  const {stop} = watch(() => feedbackOf(equipment, effect), now => {
    feedback.value = now?.agrees ? null : now
    if (!now || now.agrees) queueMicrotask(() => stop())
  }, {immediate: true})
  return stop
}
