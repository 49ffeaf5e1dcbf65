/* Whose hand signs: a person's credential with the key, in this page's memory alone, gone when they sign out or leave. */
import {shallowRef, watch} from 'vue'
import {t} from './words'
import {base64, bytes, signed} from './signing'
import {mine} from '../mine/catalogue'
import {me} from '../session'

export interface Statement {
  site: string
  name: string
  roles: string[]
  key: string
  not_before: number
  not_after: number
  serial: string
  first?: string
  areas: string[] | null
  equipment: string[] | null
}
export interface Person {
  credential: unknown
  statement: Statement
  /** Not to be taken out of the browser again. */
  key: CryptoKey
}

const MOST_BYTES = 64 * 1024
const FILES = ['credential.json', 'person.key'] as const

/** Who commands at this screen. */
export const armed = shallowRef<Person | null>(null)

watch(me, now => {
  if (!now) armed.value = null
})

/** Why no key can be used in this browser; '' where one can. */
export function hindered(): string {
  return window.isSecureContext && crypto.subtle ? '' : t('insecure')
}

/** A person from the two files of their folder. Throws Error in words for a person. */
export async function personOf(files: readonly File[]): Promise<Person> {
  const [credential, key] = await Promise.all(FILES.map(name => read(files, name)))
  const {statement, whole} = statementOf(credential!)
  if (statement.site !== mine.value?.code) throw new Error(t('other_site', statement.site))
  if (statement.not_after < Date.now() * 1000) throw new Error(t('expired', statement.name))
  return {credential: whole, statement, key: await keyOf(key!, statement)}
}

/** Who they are, whatever the name: two credentials of one person are not two persons. */
export function same(a: Person, b: Person): boolean {
  const lineage = (each: Person): string => each.statement.first || each.statement.serial
  return a.statement.name === b.statement.name || a.statement.key === b.statement.key || lineage(a) === lineage(b)
}

/** An order with the signatures of those who give it, as the gateway takes it. */
export async function envelope(order: Record<string, unknown>, persons: readonly Person[]): Promise<object> {
  const data = signed(order)
  const signatures = await Promise.all(
    persons.map(async each => ({credential: each.credential, signature: base64(await crypto.subtle.sign('Ed25519', each.key, data))})),
  )
  return {order, signatures}
}

async function read(files: readonly File[], name: string): Promise<string> {
  const file = files.find(each => each.name === name)
  if (!file || file.size > MOST_BYTES) throw new Error(t('no_file', name))
  return file.text()
}

function statementOf(text: string): {statement: Statement; whole: unknown} {
  try {
    const whole = JSON.parse(text) as {statement: Statement; signature: string}
    const {site, name, roles, key, serial, not_after} = whole.statement
    if (![site, name, key, serial, whole.signature].every(each => typeof each === 'string') || !Array.isArray(roles) || typeof not_after !== 'number') {
      throw new Error('fields')
    }
    return {statement: whole.statement, whole}
  } catch {
    throw new Error(t('no_credential'))
  }
}

/** The key, proved to be the credential's: what it signs, the credential's public half confirms. */
async function keyOf(pem: string, statement: Statement): Promise<CryptoKey> {
  const found = /-----BEGIN PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END PRIVATE KEY-----/.exec(pem)
  if (!found) throw new Error(t('no_key'))
  let own: CryptoKey
  let open: CryptoKey
  try {
    own = await crypto.subtle.importKey('pkcs8', bytes(found[1]!.replace(/\s/g, '')), 'Ed25519', false, ['sign'])
    open = await crypto.subtle.importKey('raw', bytes(statement.key), 'Ed25519', false, ['verify'])
  } catch (error) {
    throw new Error(error instanceof DOMException && error.name === 'NotSupportedError' ? t('no_ed25519') : t('no_key'))
  }
  const word = crypto.getRandomValues(new Uint8Array(32))
  const its = await crypto.subtle.verify('Ed25519', open, await crypto.subtle.sign('Ed25519', own, word), word)
  if (!its) throw new Error(t('not_its_key'))
  return own
}
