/* What the engineer has entered so far. It outlives a reload of the page, but for secrets, which stay in memory. */
import {computed, reactive, shallowRef, watch} from 'vue'
import {get, post} from '../api/client'
import {addressOf, withoutPasswords} from './address'
import type {Cells, Field, Folder, Gateway, Protocol, Review, Row, Template} from './api'
import {t} from './words'

export type Device = string | {adapter: string; settings: Record<string, unknown>}
export interface Draft {
  gateway: string
  /** An existing connection; empty for a new device. */
  existing: string
  url: string
  /** The address whose settings stand in the form. */
  taken: string
  adapter: string
  /** As they are entered, by their dotted names. */
  settings: Record<string, string>
  name: string
  group: string
  period: string
  equipment: string
  template: string
  nameZh: string
  nameEn: string
  area: string
  source: 'browse' | 'table'
  file: string
  /** A point table in base64. */
  table: string
  first: 0 | 1
  register: string
  leaveOut: boolean
  keep: boolean
  points: Record<string, string>
  orders: Record<string, string>
  rows: Row[]
}

const KEPT = 'onboarding'
const EMPTY: Draft = {
  gateway: '', existing: '', url: '', taken: '', adapter: '', settings: {}, name: '', group: '', period: '1 s', equipment: '', template: '',
  nameZh: '', nameEn: '', area: '', source: 'browse', file: '', table: '', first: 0, register: '', leaveOut: false, keep: true,
  points: {}, orders: {}, rows: [],
}

function kept(): Draft {
  try {
    return {...structuredClone(EMPTY), ...(JSON.parse(sessionStorage.getItem(KEPT) ?? '{}') as Partial<Draft>)}
  } catch {
    return structuredClone(EMPTY)
  }
}

export const draft = reactive<Draft>(kept())
/** Secret settings by their names; `url`: the password of a user in the address. */
export const secrets = reactive<Record<string, string>>({})

watch(draft, () => {
  try {
    // What is refused as an address may be half a password; what was typed into a setting may hold one.
    const url = addressOf(draft.url) ? draft.url : ''
    sessionStorage.setItem(KEPT, JSON.stringify({...draft, url, taken: url && draft.taken}, (_, value: unknown) => (typeof value === 'string' ? withoutPasswords(value) : value)))
  } catch {
    sessionStorage.removeItem(KEPT) // what is too large to be kept is entered anew after a reload
  }
})

export function beginAnew(): void {
  Object.assign(draft, structuredClone(EMPTY))
  for (const name of Object.keys(secrets)) delete secrets[name]
  chooseGateway()
}

export const gateways = shallowRef<Gateway[]>([])
export const protocols = shallowRef<Protocol[]>([])
export const folder = shallowRef<Folder | null>(null)

/** What the steps need to know of the platform. Raises Refusal. */
export async function prepare(): Promise<void> {
  const [live, forms, there] = await Promise.all([
    get<{gateways: Gateway[]}>('workshop/gateways'),
    get<{protocols: Protocol[]}>('workshop/protocols'),
    get<Folder>('workshop/folder'),
  ])
  gateways.value = live.gateways
  protocols.value = forms.protocols
  folder.value = there
  chooseGateway()
}

/** Where none is chosen, one that answers. */
function chooseGateway(): void {
  if (!draft.gateway) draft.gateway = gateways.value.find(each => each.live)?.name ?? gateways.value[0]?.name ?? ''
}

export const protocol = computed(() => protocols.value.find(each => each.name === adapter.value))
export const adapter = computed(() => gateways.value.find(each => each.name === draft.gateway)?.connections[draft.existing] ?? draft.adapter)
export const template = computed<Template | undefined>(() => folder.value?.templates.find(each => each.id === templateId.value))
const templateId = computed(() => folder.value?.equipment.find(each => each.id === draft.equipment)?.template ?? draft.template)
/** The name under which the points are read. */
export const connection = computed(() => draft.existing || draft.name)

/** What has to be said before the points can be looked through; of a machine that is there its area and template are known. */
export const missing = computed(() => [
  ...(connection.value ? [] : [t('connection_name')]),
  ...(draft.equipment ? [] : [t('equipment_id')]),
  ...(template.value ? [] : [t('template')]),
  ...(draft.area || folder.value?.equipment.some(each => each.id === draft.equipment) ? [] : [t('area')]),
])

/** Settings as connections.yaml has them: nested, numbers as numbers, without what was not entered. */
export function settingsOf(fields: readonly Field[]): Record<string, unknown> {
  const found: Record<string, unknown> = {}
  for (const field of fields) {
    const entered = (field.kind === 'secret' ? secrets[field.name] : draft.settings[field.name]) ?? ''
    if (entered.trim() === '') continue
    const path = field.name.split('.')
    let place = found
    for (const part of path.slice(0, -1)) place = (place[part] ??= {}) as Record<string, unknown>
    const own = path[path.length - 1]!
    const value = valueOf(field, entered)
    place[own] = typeof value === 'object' && !Array.isArray(value) && typeof place[own] === 'object' ? {...(place[own] as object), ...value} : value
  }
  return found
}

function valueOf(field: Field, entered: string): unknown {
  const numeric = entered.trim() !== '' && Number.isFinite(Number(entered))
  if (field.kind === 'secret') return entered
  if (field.kind === 'yes_no') return entered === 'true'
  if (field.kind === 'list') return entered.split('\n').map(line => line.trim()).filter(Boolean)
  if (field.kind === 'mapping') {
    const pairs = entered.split('\n').map(line => line.split('=').map(part => part.trim())).filter(pair => pair.length === 2 && pair[0])
    return Object.fromEntries(pairs.map(([key, value]) => [key!, Number.isFinite(Number(value)) ? Number(value) : value]))
  }
  if (field.kind === 'choice') return field.choices.find(each => String(each) === entered) ?? entered
  if (field.kind === 'number' || field.kind === 'whole') return numeric ? Number(entered) : entered
  // A port is a number, or the name of a serial line.
  return field.name === 'port' && numeric ? Number(entered) : entered.trim()
}

/** The device as a question names it. */
export function device(): Device {
  if (draft.existing) return draft.existing
  return {adapter: draft.adapter, settings: settingsOf(protocol.value?.fields ?? [])}
}

export async function ask<T>(question: Record<string, unknown>): Promise<T> {
  return post<T>('workshop/questions', {gateway: draft.gateway, device: device(), ...question})
}

/** The draft's address goes into the form: all settings of the device that was there before go, so that what is asked
 *  and what is written are one device. False, and no settings, for one that is no address. */
export function takeUrl(): boolean {
  const found = addressOf(draft.url)
  const known = found && protocols.value.some(each => each.name === found.adapter) ? found : null
  if (found && found.bare !== draft.url.trim()) draft.url = found.bare
  if (draft.url !== draft.taken) {
    for (const name of Object.keys(secrets)) delete secrets[name]
    draft.taken = draft.url
    draft.adapter = known?.adapter ?? ''
    draft.settings = {...known?.settings}
  }
  if (known?.password) secrets.password = known.password
  return known !== null
}

/** The settings of the form that are no longer those of the address, which the first step asks. */
export const strayed = computed(() => {
  const said = draft.existing || draft.url !== draft.taken ? null : addressOf(draft.url)
  if (!said || !draft.adapter) return []
  if (said.adapter !== draft.adapter) return [draft.adapter]
  const names = new Set([...Object.keys(said.settings), 'host', 'port', 'unit', 'url', 'user', 'transport'])
  return [...names].filter(name => (draft.settings[name] ?? '') !== (said.settings[name] ?? '')).map(name => `${name} ${draft.settings[name] || '—'}`)
})
export function likeUrl(): void {
  draft.taken = ''
  takeUrl()
}

const COLUMNS = ['point', 'address', 'type', 'order', 'scale', 'offset', 'unit']

/** The rows as a point table of our own, whose row n + 2 is the nth. */
export function ownTable(): string {
  const columns = [...COLUMNS, ...new Set(draft.rows.flatMap(row => Object.keys(row.values)))].filter((name, k, all) => all.indexOf(name) === k && !['connection', 'group'].includes(name))
  const cell = (value: unknown): string => {
    const text = value === undefined || value === null ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value)
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
  }
  const lines = draft.rows.map(row => columns.map(name => cell(name === 'point' ? row.point : row.values[name])).join(','))
  return base64([columns.join(','), ...lines].join('\n') + '\n')
}

export function base64(data: string | Uint8Array): string {
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data
  let text = ''
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000))
  return btoa(text)
}

/** What is reviewed: the vendor's table, or the rows that came of it. */
export function given(file: string, table: string, theirs: boolean): Record<string, unknown> {
  const there = folder.value?.equipment.some(each => each.id === draft.equipment)
  const fields = protocol.value?.fields ?? []
  return {
    connection: connection.value,
    new: draft.existing ? null : {
      gateway: draft.gateway, adapter: draft.adapter, settings: settingsOf(fields),
      groups: draft.group && draft.period ? {[draft.group]: draft.period} : {},
    },
    equipment: draft.equipment, template: there ? '' : draft.template, name: {zh: draft.nameZh, en: draft.nameEn}, area: draft.area,
    group: draft.group, file, table,
    ...(theirs && {words: {points: picked(draft.points), orders: picked(draft.orders)}, register: draft.register, first: draft.first}),
    skip_unknown: theirs && draft.leaveOut, keep: draft.keep,
  }
}

const picked = (words: Record<string, string>): Record<string, string> => Object.fromEntries(Object.entries(words).filter(each => each[1]))

export const review = (file: string, table: string, theirs: boolean): Promise<Review> => post<Review>('workshop/review', given(file, table, theirs))

export function bind(row: Row, cells: Cells): void {
  row.values = Object.fromEntries(Object.entries({...row.values, ...cells}).filter(each => each[1] !== ''))
}
