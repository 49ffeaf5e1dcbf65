/* A fact of a part of the site as people read it. */
import {language, named, type Words} from '../../i18n'
import {plain} from '../../ui/number'
import {t} from './words'

const MOST = 300
const isWords = (value: unknown): value is Words => typeof value === 'object' && value !== null && 'zh' in value && 'en' in value && Object.keys(value).length === 2

export function valueWords(value: unknown): string {
  if (value === null || value === undefined || value === '') return t('nothing')
  if (typeof value === 'number') return plain(value, 8)
  if (typeof value === 'string') return value
  if (typeof value === 'boolean') return value ? '✓' : '✗'
  if (isWords(value)) return language.value === 'zh' ? `${value.zh} (${value.en})` : `${named(value)} (${value.zh})`
  if (Array.isArray(value)) return shortened(value.length ? value.map(valueWords).join('; ') : t('nothing'))
  return shortened(Object.entries(value as Record<string, unknown>).filter(([, each]) => each !== null && each !== '').map(([name, each]) => `${name} ${valueWords(each)}`).join(', '))
}

const shortened = (text: string): string => (text.length > MOST ? `${text.slice(0, MOST)}…` : text)
