/* What the platform answers of reports. */
import {named, type Words} from '../i18n'

export type Kind = 'shift' | 'daily' | 'monthly' | 'bureau'
export const KINDS: readonly Kind[] = ['shift', 'daily', 'monthly', 'bureau']
export interface Report {
  id: number
  code: string
  kind: Kind
  mines: string[]
  /** Of its mines, as far as the platform knows them. */
  names: Record<string, Words>
  first: string
  last: string
  shift: string
  made_at: number
  who: string
}
/** A mine by its name and its code. */
export function mineOf(code: string, names: Record<string, Words> = {}): string {
  const name = named(names[code])
  return name ? `${name} (${code})` : code
}
export interface Verdict {
  good: boolean
  code: string
  report: Report | null
  differences: {where: string; says: string; should: string}[]
  /** How many differ; of many the first are listed. */
  differing: number
  same: boolean | null
  why: Words | null
  newer: {mine: string; section: string; day: string}[]
  received: Record<string, number>
  reworded: boolean
  made_by: string
  program: string
}
