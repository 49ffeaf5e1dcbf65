/* What has to be said beside a figure so that nobody takes it for more than it is. */
import {named, type Words} from '../i18n'
import type {MineFigure, PeriodFacts} from './api'
import {share} from './form'
import {t} from './words'

export function notes(said: MineFigure, of: PeriodFacts): string[] {
  const names = new Map(of.categories.map(each => [each.key, named(each.name)]))
  const list = (keys: string[]): string => keys.map(key => names.get(key) ?? key).join('、')
  const found: string[] = []
  if (said.partial) found.push(t('partial'))
  if (of.provisional) found.push(t('provisional_days'))
  if (of.missing) found.push(t('missing_n', of.missing))
  if (named(of.why_words)) found.push(named(of.why_words))
  if (of.below.length) found.push(t('below', list(of.below)))
  if (of.idle.length) found.push(t('idle', list(of.idle)))
  if (of.absent.length) found.push(t('absent', list(of.absent)))
  for (const each of of.normalised) found.push(`${each.unit}: ${t('normalised', each.days, share(each.share), each.needed)} · ${t(each.met ? 'is_met' : 'is_not_met')}`)
  return found
}
export const stale = (of: Words[]): string[] => of.map(each => `${t('stale')}: ${named(each)}`)
export const standing = (of: string): string => (of === 'met' || of === 'missed' || of === 'not_assessable' || of === 'part' ? t(of) : of)
