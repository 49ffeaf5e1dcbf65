/* Every request to the platform goes through here: session, refusals in plain words, nothing cached. */
import {failure, incomplete} from './failures'
import {language, type Words} from '../i18n'

/** What the platform refused, or that it did not answer (`status` 0); `more`: all else that it said of it. */
export class Refusal extends Error {
  constructor(readonly status: number, readonly code: string, readonly zh: string, readonly en: string, readonly more: Record<string, unknown> = {}) {
    super(en)
  }
  get words(): string {
    return language.value === 'zh' ? this.zh || this.en : this.en
  }
}

let csrf: string | null = null
let ended: () => void = () => {}

/** The word that goes with what a page changes; null when nobody is signed in. */
export function use(word: string | null): void {
  csrf = word
}
/** What is done once the session has ended. */
export function whenEnded(done: () => void): void {
  ended = done
}

export type Asked = Record<string, string | number | boolean | readonly string[] | null | undefined>

/** An address under /api/v1/ with its parameters; lists are repeated, what is null is left out. */
export function address(path: string, asked: Asked = {}): string {
  const query = new URLSearchParams()
  for (const [name, value] of Object.entries(asked)) {
    if (value === null || value === undefined) continue
    if (typeof value === 'object') for (const each of value) query.append(name, each)
    else query.append(name, String(value))
  }
  const text = query.toString()
  return `/api/v1/${path}${text && '?'}${text}`
}

export async function get<T>(path: string, asked: Asked = {}, signal?: AbortSignal): Promise<T> {
  return (await ask(address(path, asked), signal ? {signal} : {})) as T
}

export async function post<T>(path: string, body: unknown): Promise<T> {
  return (await send('POST', address(path), JSON.stringify(body), 'application/json')) as T
}

export async function put<T>(path: string, body: unknown): Promise<T> {
  return (await send('PUT', address(path), JSON.stringify(body), 'application/json')) as T
}

export async function patch<T>(path: string, body: unknown): Promise<T> {
  return (await send('PATCH', address(path), JSON.stringify(body), 'application/json')) as T
}

export async function remove(path: string, asked: Asked = {}): Promise<void> {
  await send('DELETE', address(path, asked))
}

/** A file as it is, with what is said of it in the address. */
export async function upload<T>(path: string, asked: Asked, file: Blob): Promise<T> {
  return (await send('POST', address(path, asked), file, file.type || 'application/octet-stream')) as T
}

function send(method: string, to: string, body?: BodyInit, type?: string): Promise<unknown> {
  const headers: Record<string, string> = {}
  if (type) headers['Content-Type'] = type
  if (csrf) headers['X-CSRF-Token'] = csrf
  return ask(to, body === undefined ? {method, headers} : {method, headers, body})
}

async function ask(to: string, how: RequestInit): Promise<unknown> {
  const changing = how.method !== undefined
  let answer: Response
  try {
    answer = await fetch(to, how)
  } catch (error) {
    if (isAbort(error)) throw error
    throw refusal(0, 'no_answer', failure(0, changing))
  }
  if (answer.status === 204) return null
  const said = await jsonOf(answer)
  if (answer.ok) {
    // Cut off on its way, or from something that is not the platform: that is not an answer of nothing.
    if (typeof said !== 'object' || said === null) throw refusal(answer.status, 'incomplete', incomplete(changing))
    return said
  }
  const told = (said as {error?: {code?: string; message?: string; message_zh?: string}} | null | undefined)?.error
  // A wrong old password is no session that has ended.
  if (answer.status === 401 && csrf && told?.code !== 'wrong_sign_in') ended()
  const words = failure(answer.status, changing)
  throw refusal(answer.status, told?.code ?? 'error', {zh: told?.message_zh || told?.message || words.zh, en: told?.message || words.en}, told)
}

const isAbort = (error: unknown): boolean => error instanceof DOMException && error.name === 'AbortError'
const refusal = (status: number, code: string, words: Words, more: Record<string, unknown> = {}): Refusal => new Refusal(status, code, words.zh, words.en, {...more})

/** What an answer holds; undefined where that is no JSON. */
async function jsonOf(answer: Response): Promise<unknown> {
  try {
    return await answer.json()
  } catch (error) {
    if (isAbort(error)) throw error
    return undefined
  }
}

/** What anything thrown is in words. */
export function wordsOf(error: unknown): string {
  return error instanceof Refusal ? error.words : String(error)
}
