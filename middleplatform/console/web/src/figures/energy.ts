/* What the platform answers of energy and output. Amounts are null where nothing is known; `known`: the part of the time that
   they are of. */
import type {Words} from '../i18n'

export interface Amount {
  value: number | null
  spread: number
  coverage: number | null
  known: number | null
  resets: number
  dips: number
  leaps: number
}
export interface Ratio {
  value: number | null
  over: number
  per: number
  coverage: number | null
  hours: number
}
export interface Range {
  partial: boolean
  first: string
  last: string
  asked: number
  days: number
  missing: string[]
  provisional: string[]
  made_at: number | null
}
interface Used {
  kwh: Amount
  hours: Record<string, Amount>
  periods: Record<string, Amount>
  cost: {relative: number | null; least: number | null; money: number | null; least_money: number | null; known: number | null}
}
export interface Energy extends Range {
  incoming: boolean
  used: Used
  rest: {kwh: number | null; money: number | null; known: number | null; unheard: string[]}
  systems: (Used & {id: string; name: Words; per_tonne: Ratio})[]
  equipment: (Used & {equipment: string[]; points: string[]; names: Words[]; system: string})[]
  methane_m3: Amount
  emission: {electricity: number | null; methane: number | null; electricity_known: number | null; methane_known: number | null; of: Words[]}
  intensity: {kwh_per_t: Ratio; electricity_kg_per_t: Ratio; methane_kg_per_t: Ratio}
}
export interface Times {
  calendar: number
  planned: number
  running: number
  standing: number
  producing: number
  idle: number
}
export interface Machine {
  id: string
  name: Words
  days: number
  times: Times
  availability: number | null
  coverage: number | null
  power_on: number | null
  power_on_known: number | null
  effectiveness: Ratio
  intelligence: number | null
  intelligence_known: number | null
  overall: number | null
  reliability: {failures: number; unclear: number; ran_on: number; days: number; mtbf_h: number | null; mttr_h: number | null} | null
}
export interface Production extends Range {
  /** A rate of which less is known than this part is not assessable. */
  coverage_needed: number
  tonnes: Amount
  shifts: Record<string, Amount>
  machines: Machine[]
}
export interface Stoppages extends Range {
  days_without_journal: number
  causes: {cause: string; group: string; group_name: Words; by: string; equipment: string; name: Words; stops: number; lost_h: number; upto: number}[]
}
