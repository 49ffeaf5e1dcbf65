/* Every request to the platform goes through here: session, refusals in plain words, nothing cached. */
import {language} from '../i18n'

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
  let answer: Response
  try {
    answer = await fetch(to, how)
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new Refusal(0, 'no_answer', '平台没有应答', 'the platform does not answer')
  }
  if (answer.status === 204) return null
  const said: unknown = await answer.json().catch(() => null)
  if (answer.ok) return said
  const told = (said as {error?: {code?: string; message?: string; message_zh?: string}} | null)?.error
  if (answer.status === 401 && csrf) ended()
  const words = told?.message ?? `${answer.status} ${answer.statusText}`
  throw new Refusal(answer.status, told?.code ?? 'error', told?.message_zh ?? words, words, {...told})
}

/** What anything thrown is in words. */
export function wordsOf(error: unknown): string {
  return error instanceof Refusal ? error.words : String(error)
}
