/* Amounts as people read them, with what is not known of them. */
import type {Amount, Range} from './energy'
import {NOTHING, share} from './form'
import {minuteOf, today} from './period'
import {t} from './words'

/** With so many digits as say something, thousands apart. */
export function amount(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return NOTHING
  const rounded = Math.abs(value) >= 10 ** (digits - 1) ? Math.round(value) : Number(value.toPrecision(digits))
  return rounded.toLocaleString('en-US', {maximumFractionDigits: 6}).replaceAll(',', ' ')
}
/** What keeps an amount from being all of the truth. */
export function doubts(of: Amount, unit: string, range: Range): string[] {
  const found = fewDays(range)
  if (of.known !== null && of.known < 0.9995) found.push(`${t('known')} ${share(of.known)}`)
  if (of.spread > 0) found.push(t('spread', `${amount(of.spread)} ${unit}`))
  if (of.resets) found.push(t('resets', of.resets))
  return found
}
/** Of how few of the days asked for a sum is; nothing where it is of all. */
export function fewDays(of: Range): string[] {
  return of.days < of.asked ? [t('only_days', of.days, of.asked)] : []
}
/** What a range lacks. */
export function lacks(of: Range): string[] {
  const found: string[] = []
  if (of.partial) found.push(t('partial'))
  if (of.provisional.length) found.push(t('provisional_days'))
  if (of.missing.length) found.push(t('missing_n', of.missing.length))
  if (of.last >= today() && of.made_at !== null) found.push(t('as_of', minuteOf(of.made_at)))
  return found
}
