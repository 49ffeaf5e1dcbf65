/* What has to be said beside a figure so that nobody takes it for more than it is. */
import {named, type Words} from '../i18n'
import type {Definitions, MineFigure, PeriodFacts} from './api'
import {share} from './form'
import {t} from './words'

/** `rules`: of which categories have their names, those too of which nothing is kept. */
export function notes(said: MineFigure, of: PeriodFacts, rules: Definitions | null): string[] {
  const names = new Map((rules?.rules.categories ?? of.categories).map(each => [each.key, named(each.name)]))
  const list = (keys: string[]): string => keys.map(key => names.get(key) ?? key).join('、')
  const found: string[] = []
  if (said.partial) found.push(t('partial'))
  if (of.provisional) found.push(t('provisional_days'))
  if (of.missing) found.push(t('missing_n', of.missing))
  // Of no day at all there is nothing more to say than that.
  if (of.missing === of.days) return [...found, t('unknown_cell')]
  if (named(of.why_words)) found.push(named(of.why_words))
  if (of.below.length) found.push(t('below', list(of.below)))
  if (of.idle.length) found.push(t('idle', list(of.idle)))
  if (of.absent.length) found.push(t('absent', list(of.absent)))
  for (const each of of.normalised) found.push(`${each.unit}: ${t('normalised', each.days, share(each.share), each.needed)} · ${t(each.met ? 'is_met' : 'is_not_met')}`)
  return found
}
export const stale = (of: Words[]): string[] => of.map(each => `${t('stale')}: ${named(each)}`)
export const standing = (of: string): string => (of === 'met' || of === 'missed' || of === 'not_assessable' || of === 'part' ? t(of) : of)
