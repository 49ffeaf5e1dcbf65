/* Points by path in words, as rules speak of them. */
import {named} from '../i18n'
import {byPath} from '../mine/catalogue'
import {plain} from '../ui/number'

export function pointName(path: string): string {
  const point = byPath.value.get(path)
  return point ? `${named(point.equipment.name)} · ${named(point.name)}` : path.split('/').slice(1).join('/')
}

/** A value of a point: the state's words where it has any. */
export function valueOf(path: string, value: number | null): string {
  if (value === null) return '—'
  const point = byPath.value.get(path)
  const state = point?.states[String(value)]
  return state ? named(state) : `${plain(value)} ${point?.unit ?? ''}`.trim()
}

/** A comparison without the path that it begins with. */
export function compared(text: string): string {
  return text.replace(/^\S+\s*/, '')
}
