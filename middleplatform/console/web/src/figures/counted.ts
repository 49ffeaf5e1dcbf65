/* As what a moment counts, in the five kinds that a day is drawn in: by place, pattern and word, never by colour alone. */
import type {Words} from '../i18n'
import {t} from './words'

export const KINDS = ['used', 'hand', 'unknown', 'excluded', 'idle'] as const
export type Kind = (typeof KINDS)[number]
const OF: Record<string, Kind> = {
  intelligent: 'used', by_hand: 'hand', open: 'unknown', blind: 'unknown', blind_by_hand: 'unknown',
  excluded: 'excluded', excluded_intelligent: 'excluded', excluded_by_hand: 'excluded', stood: 'idle', not_producing: 'idle',
}
export const kindOf = (counted: string): Kind => OF[counted] ?? 'unknown'
export const kindWords = (kind: Kind): string => t(`k_${kind}` as const)
export type {Words}
