/* A condition and its value in the words that the point has for them. */
import {t} from './words'
import {named} from '../i18n'
import {byPath} from '../mine/catalogue'
import {plain} from '../ui/number'

export function shown(point: string, value: number | null): string {
  if (value === null) return t('not_known')
  const facts = byPath.value.get(point)
  return named(facts?.states[String(value)]) || `${plain(value)} ${facts?.unit ?? ''}`.trim()
}
/** "= 1" of a point with states is said by the state's name. */
export function wanted(point: string, words: string): string {
  const state = byPath.value.get(point)?.states[words.replace(/^= /, '')]
  return state ? `= ${named(state)}` : words
}
/** The machine's name goes with the point's, which says little alone. */
export function where(point: string): string {
  return named(byPath.value.get(point)?.equipment.name)
}
