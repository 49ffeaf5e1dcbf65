/* What the catalogue says of a point. */
import type {Words} from '../../i18n'

export interface Limit {
  kind: string
  value: number | null
  restore?: number | null
  source?: string
  effective_from?: string
  confirmed?: boolean
  reason?: string
}
export interface Registered {
  point: string
  id: string
  key: string
  name: Words
  meaning: {role: string; zh: string; en: string; means: string} | null
  role: string
  kind: string
  unit: string
  range: {low: number | null; high: number | null}
  states: Record<string, Words>
  limits: Limit[]
  retention: string
  silence_s: number
  equipment: {id: string; name: Words}
  area: {id: string; name: Words}[]
  template: {id: string; name: Words; subsystem: string; digest: string} | null
  source: {
    gateway: string | null
    connection: string
    adapter: string | null
    place: Record<string, unknown>
    group: string
    address: string
    formula: {text: string; inputs: string[]} | null
  }
  sensor_code: {code: string; zh: string | null; en: string | null; value_type: string | null; dictionary: {version: number; edition: string; effective_from: string} | null} | null
  class: {code: string; zh: string; en: string; level: string}[]
  owner: {owner: string; department: string; contact: string} | null
}
export interface RegisterPage {
  total: number
  offset: number
  day: string
  points: Registered[]
}
