/* What the platform answers of figures. Shares are from 0 to 1 and null where nothing is known; times are seconds. */
import {get} from '../api/client'
import type {Words} from '../i18n'

export interface Bounds {
  rate: number | null
  least: number | null
  most: number | null
  coverage: number | null
}
export interface Seconds {
  calendar: number
  available: number
  excluded: number
  excluded_producing: number
  excluded_by_hand: number
  producing: number
  intelligent: number
  by_hand: number
  idle: number
  open: number
  blind: number
}
export interface Figure extends Bounds {
  assessable: boolean
  seconds: Seconds
  output: {rate: number | null; by_itself: number; otherwise: number; unit: string} | null
}
export interface Category extends Figure {
  key: string
  name: Words
  weight: number
  units: number
}
export interface PeriodFacts extends Bounds {
  period: string
  first: string
  last: string
  days: number
  missing: number
  provisional: boolean
  made_at: number | null
  standing: string
  below: string[]
  absent: string[]
  idle: string[]
  doubtful: string[]
  why_words: Words
  rules: string[]
  sites: string[]
  categories: Category[]
  normalised: {unit: string; name: Words; days: number; producing: number; share: number; needed: number; met: boolean}[]
}
export interface MineFigure {
  mine: string
  name: Words
  partial: boolean
  trouble: Words[]
  periods: PeriodFacts[]
}
export interface Unit extends Figure {
  day: string | null
  provisional: boolean | null
  category: string
  id: string
  name: Words
  lacks: string[]
  reasons: {clause: string; words: Words; seconds: number}[]
  shifts: Record<string, number | null>
}
export interface Units {
  first: string
  last: string
  days: number
  missing: number
  provisional: boolean
  made_at: number | null
  trouble: Words[]
  units: Unit[]
}
export interface CityMine extends Bounds {
  place: number | null
  mine: string
  name: Words
  capacity_kt: number | null
  gas_class: string
  days: number
  days_kept: number
  why: Words | null
  belts: string | null
  standing: string
  below: string[]
  doubtful: string[]
  categories: ({category: string; intelligent_us: number; by_hand_us: number; excluded_us: number} & Bounds)[]
}
export interface City {
  month: string
  first: string
  last: string
  made_at: number | null
  rules: string
  target_mine: number
  target_category: number
  coverage_needed: number
  met: number
  assessable: number
  group: Bounds & {standing: string}
  mines: CityMine[]
  belts: {share: number | null; covered: number; unknown: number; mines: number; from_kt: number; rate: number; version: string; confirmed: boolean; unknown_capacity: string[]} | null
  trend: (Bounds & {month: string; days: number; days_kept: number; standing: string})[]
}
export interface Interval {
  start: number
  end: number
  start_time: string
  end_time: string
  seconds: number
  counted: string
  clause: string | null
  unsure: boolean
  words: Words
}
export interface Made {
  mine: string
  day: string
  revision: number
  provisional: boolean
  made_at: number
  rules: string
  site: string
  category: string
  unit: string
  name: Words
}
export interface Intervals extends Made {
  start: number
  end: number
  figure: Record<string, number> & {reasons: Record<string, number>}
  lacks: string[]
  total: number
  next: number | null
  intervals: Interval[]
}
export interface Witness {
  kind: 'value' | 'missing' | 'moves' | 'event'
  words: Words
  at: number | null
  point?: string | null
  value?: number | null
  good?: boolean | null
  since?: number | null
  points?: string[] | null
}
export interface Why extends Made {
  at: number
  time: string
  interval: Interval
  witnesses: Witness[]
  tickets: {ticket: number; cause: string; words: Words}[]
  incomplete: boolean
}
export interface Revision {
  day: string
  revision: number
  provisional: boolean
  made_us: number
  superseded_us: number | null
  rules: string
  rules_digest: string
  site: string
  program: string
  digest: string
}
export interface Finding {
  day: string
  check: string
  category: string
  unit: string
  equipment: string
  start: number
  end: number
  start_time: string
  end_time: string
  points: string[]
  words: Words
}
export interface Findings {
  missing: string[]
  checks: Record<string, string>
  findings: Finding[]
  more: boolean
}
export interface Dated {
  version: string
  effective_from: string
  source: Words
  confirmed: boolean
}
export interface Clause {
  key: string
  asks: Words
  otherwise: Words
  if_measured: boolean
}
export interface CategoryRules {
  key: string
  name: Words
  weight: number
  producing: Clause[]
  intelligent: Clause[]
  stood: Words | null
  output: Words | null
}
export interface Definitions {
  day: string
  rules: Dated & {coverage: number; target_mine: number; target_category: number; digest: string; words: Words[]; categories: CategoryRules[]}
  belts: (Dated & {from_kt: number; rate: number}) | null
  exclusions: Dated & {most_of_month: number; decided_by: Words[]; causes: {key: string; name: Words; longest_h: number; most_of_month: number; asked_within_h: number; approved_within_h: number; approvals: number}[]}
  checks: Dated
  energy: {
    grid: {grid: string; name: Words; year: number; kg_per_kwh: number; source: Words; confirmed: boolean} | null
    methane: {at_0_degc: number; at_20_degc: number; gwp: Record<string, number>; source: Words; confirmed: boolean}
    tariff: (Dated & {ratios: Record<string, number>}) | null
    systems: Record<string, Words>
  }
}

const said = new Map<string, Promise<Definitions>>()
/** What the figures of a day mean; asked once a day and a visit. */
export function definitions(day: string): Promise<Definitions> {
  let found = said.get(day)
  if (!found) {
    if (said.size > 40) said.clear()
    found = get<Definitions>('kpi/definitions', {day})
    said.set(day, found)
    found.catch(() => said.delete(day))
  }
  return found
}
