/* What the workshop's routes answer, as far as its pages read it. */
import type {PointFacts} from '../api/types'
import type {Words} from '../i18n'

export interface Gateway {
  name: string
  live: boolean
  silent_s: number | null
  connections: Record<string, string>
}
export interface Field {
  name: string
  kind: 'text' | 'secret' | 'number' | 'whole' | 'yes_no' | 'choice' | 'list' | 'mapping'
  needed: boolean
  default: string | number | boolean | null
  choices: (string | number)[]
  low: number | null
  high: number | null
  zh: string
  en: string
}
export interface Protocol {
  name: string
  title: Words
  remarks: Words
  supports: string[]
  fields: Field[]
}
export interface TemplatePoint {
  key: string
  name: Words
  role: string
  kind: string
  unit: string
}
export interface Template {
  id: string
  name: Words
  points: TemplatePoint[]
}
export interface Named {
  id: string
  name: Words
}
export interface Folder {
  path: string
  writable: boolean
  publish: string
  problems: string[]
  /** Whether the folder holds what the newest version on the bus has (`number`), or what runs where none was published. */
  published: {number: number | null; same: boolean}
  undo: {why: string; equipment: string; who: string; at: string; files: string[]} | null
  areas: Named[]
  equipment: (Named & {template: string; area: string | null})[]
  connections: {name: string; gateway: string; adapter: string; groups: Record<string, number>}[]
  templates: Template[]
}
export interface Problem {
  file: string
  where: string
  zh: string
  en: string
}
export type Cells = Record<string, string | number>
export interface Row {
  equipment: string
  point: string
  where: string
  values: Cells
}
export interface Review {
  problems: Problem[]
  problems_left_out: number
  notes: Problem[]
  rows: Row[]
  unknown: {where: string; said: string}[]
  unused: string[]
  added: string[]
  changed: {point: string; columns: Record<string, [unknown, unknown]>}[]
  removed: string[]
  unchanged: number
  files: {name: string; made: boolean; lines: string[]; left_out: number}[]
  variables: string[]
  seen: string | null
}
export interface Committed {
  written: string[]
  kept: string
  variables: string[]
  publish: string
}

export interface Finding {
  level: 'good' | 'note' | 'bad'
  zh: string
  en: string
}
export interface Connected {
  connected: boolean
  state: string
  reason: string
  reason_words?: Words
  took_ms: number | null
}
export interface DeviceNode {
  address: string
  name: string
  type: string
  unit: string
  writable: boolean
  way: string
  depth: number
  trouble: string
}
export interface Meaning {
  type: string
  order: string
  value: number | null
  sensible: boolean
}
export interface Place {
  address: string
  value: number | null
  text: string | null
  quality: number
  reason: string
  quality_words: Words
}
export interface Read {
  values: Place[]
  /** What the row's own type, order and bit make of the bytes; not there of a gateway that does not decode. */
  bound?: Place & {sensible: boolean}
  words: (string | null)[]
  raw_hex: string
  took_ms: number
  meanings?: Meaning[]
  texts?: Record<string, string>
  bits?: string
}
export interface Fit {
  key: string
  type: string
  order: string
  scale: number
  value: number
}

export interface ConnectionState {
  adapter: string
  state: string
  since: number
  reason: string
  points: number
  samples: number
  reported: number
  losses: number
  connects: number
  errors: number
  clock_skew_s: number | null
  clock_doubted: boolean
  groups: Record<string, {due: number; answered: number; overruns: number; skipped: number}>
  counters: Record<string, number>
  latency_ms: {median: number; most: number} | null
  findings: {kind: string; where: string; reason: string; count: number; last: number; payload_hex: string; payload_text: string}[]
  findings_left_out: number
}
export interface GatewayState {
  name: string
  state: {started: number; bus_connected: boolean; rows_sent: number; rows_dropped: number; buffered_bytes: number; site: {number: number | null} | null} | null
  connections: Record<string, ConnectionState | null>
  adapters: Record<string, string>
}
export interface Told {
  state: string
  address: string
  type: string
  order: string
  group: string
  raw_hex: string | null
  decoded: number | string | null
  text: string | null
  scaled: number | null
  unit: string
  quality: number
  quality_words: Words
  reason: string | null
  expression: string | null
  source_ts: number | null
  received_ts: number | null
  latency_ms: number | null
  samples_taken: number
  samples_reported: number
  samples_dropped: number
}
export type Diagnosed = PointFacts & {connection: string; told: Told | null}
export interface Diagnosis {
  total: number
  points: Diagnosed[]
  silent: string[]
}

export interface Condition {
  point: string
  text: string
  lasting_s: number
}
export interface Write {
  point: string
  value: number
  state: Words | null
}
export interface Rule {
  id: string
  name: Words
  act: string
  mine: boolean
  gateways: string[]
  within_s: number
  priority: number
  version: number
  enabled: boolean
  shadow: boolean
  latched: boolean
  effective_from: string
  confirmed: boolean
  source: string
  every: boolean
  when: Condition[]
  then: Condition[]
  command: Write[]
  restore: {automatic: boolean; every: boolean; when: Condition[]} | null
  on_lost: string
  lost_after_s: number
  notice: Words | null
  points: string[]
}
export interface Seen {
  point: string
  text: string
  value: number | null
  met: boolean
  lost: boolean
}
export interface Trial {
  rules: string[]
  points: string[]
  trips: {rule: string; at_s: number; why: Words; inputs: Seen[]; needed: boolean; writes: Write[]; within_s: number; well_again_s: number | null}[]
  steps: {at_s: number; rules: Record<string, {holds: boolean; conditions: Seen[]}>}[]
}
