/* What has to be said beside a figure so that nobody takes it for more than it is. */
import {named, type Words} from '../i18n'
import type {Definitions, MineFigure, PeriodFacts} from './api'
import {share} from './form'
import {t} from './words'

/** The category of which normalised operation is asked. */
const FACE = 'face'

/** `rules`: of which categories have their names, those too of which nothing is kept. `category`: of that one alone; of the
 *  mine where it is ''. */
export function notes(said: MineFigure, of: PeriodFacts, rules: Definitions | null, category = ''): string[] {
  const names = new Map((rules?.rules.categories ?? of.categories).map(each => [each.key, named(each.name)]))
  const list = (keys: string[]): string => keys.map(key => names.get(key) ?? key).join('、')
  const found: string[] = []
  if (said.partial) found.push(t('partial'))
  if (of.provisional) found.push(t('provisional_days'))
  if (of.missing) found.push(t('missing_n', of.missing))
  // Of no day at all there is nothing more to say than that.
  if (of.missing === of.days) return [...found, t('unknown_cell')]
  const own = (keys: string[]): string[] => keys.filter(key => !category || key === category)
  if (category && of.doubtful.includes(category)) found.push(t('doubtful', list([category])))
  if (!category && named(of.why_words)) found.push(named(of.why_words))
  for (const what of ['below', 'idle', 'absent'] as const) if (own(of[what]).length) found.push(t(what, list(own(of[what]))))
  for (const each of own([FACE]).length ? of.normalised : []) found.push(`${named(each.name) || each.unit}: ${t('normalised', each.days, share(each.share), each.needed)} · ${t(each.met ? 'is_met' : 'is_not_met')}`)
  return found
}
export const stale = (of: Words[]): string[] => of.map(each => `${t('stale')}: ${named(each)}`)
export const standing = (of: string): string => (of === 'met' || of === 'missed' || of === 'not_assessable' || of === 'part' ? t(of) : of)
