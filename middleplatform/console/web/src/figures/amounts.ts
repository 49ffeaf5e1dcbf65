/* Amounts as people read them, with what is not known of them. */
import type {Amount, Range} from './energy'
import {NOTHING, share} from './form'
import {t} from './words'

/** With so many digits as say something, thousands apart. */
export function amount(value: number | null | undefined, digits = 4): string {
  if (value === null || value === undefined) return NOTHING
  const rounded = Math.abs(value) >= 10 ** (digits - 1) ? Math.round(value) : Number(value.toPrecision(digits))
  return rounded.toLocaleString('en-US', {maximumFractionDigits: 6}).replaceAll(',', ' ')
}
/** What keeps an amount from being all of the truth. */
export function doubts(of: Amount, unit: string): string[] {
  const found: string[] = []
  if (of.known !== null && of.known < 0.9995) found.push(`${t('known')} ${share(of.known)}`)
  if (of.spread > 0) found.push(t('spread', `${amount(of.spread)} ${unit}`))
  if (of.resets) found.push(t('resets', of.resets))
  return found
}
/** What a range lacks. */
export function lacks(of: Range): string[] {
  const found: string[] = []
  if (of.partial) found.push(t('partial'))
  if (of.provisional.length) found.push(t('provisional_days'))
  if (of.missing.length) found.push(t('missing_n', of.missing.length))
  return found
}
