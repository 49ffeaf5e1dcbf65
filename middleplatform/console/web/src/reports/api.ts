/* What the platform answers of reports. */
import type {Words} from '../i18n'

export type Kind = 'shift' | 'daily' | 'monthly' | 'bureau'
export const KINDS: readonly Kind[] = ['shift', 'daily', 'monthly', 'bureau']
export interface Report {
  id: number
  code: string
  kind: Kind
  mines: string[]
  first: string
  last: string
  shift: string
  made_at: number
  who: string
}
export interface Verdict {
  good: boolean
  code: string
  report: Report | null
  differences: {where: string; says: string; should: string}[]
  same: boolean | null
  why: Words | null
  newer: {mine: string; section: string; day: string}[]
  received: Record<string, number>
  reworded: boolean
  made_by: string
  program: string
}
