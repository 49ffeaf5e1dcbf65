/* A sample in words: a state's name, a number, or that there is none. */
import {named} from '../../i18n'
import {qualityWords} from '../../live/quality'
import {byPath} from '../../mine/catalogue'
import {plain} from '../../ui/number'
import {unitWords} from '../../ui/unit'
import {t} from './words'

export function sampleWords(path: string, value: number | null, text: string | null, quality: number | null): string {
  if (quality === null) return t('none_there')
  const why = qualityWords(quality)
  const point = byPath.value.get(path)
  const state = value === null ? undefined : point?.states[String(value)]
  const said = text ?? (value === null ? t('no_value') : state ? named(state) : `${plain(value)} ${unitWords(point?.unit ?? '')}`.trim())
  return why ? `${said} (${why})` : said
}

/** A point or an equipment by its names. */
export function subjectWords(subject: string, machines: readonly {id: string; name: {zh: string; en: string}}[]): string {
  const point = byPath.value.get(subject)
  if (point) return `${named(point.equipment.name)} · ${named(point.name)}`
  return named(machines.find(each => each.id === subject.split('/').at(-1))?.name) || subject
}
