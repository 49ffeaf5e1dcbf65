/* A scope in words: by the names of areas, subsystems and classes, never by ids alone. */
import {named} from '../../i18n'
import {mine} from '../../mine/catalogue'
import {subsystemWords} from '../words'
import type {Bounds} from './api'
import {t} from './words'

export const CLASSES = ['bulk', 'statutory', 'events'] as const

function nameOf(bound: keyof Bounds, id: string): string {
  if (bound === 'areas') return named(mine.value?.areas.find(each => each.id === id)?.name) || id
  if (bound === 'subsystems') return subsystemWords(id)
  if (bound === 'classes' && (CLASSES as readonly string[]).includes(id)) return t(`classes_${id}` as 'classes_bulk')
  return id
}
const HEADS = {mines: 'mines', areas: 'bound_areas', subsystems: 'bound_equipment', classes: 'bound_classes'} as const

export function scopeWords(scope: readonly Bounds[]): string {
  if (!scope.length) return t('everything')
  return scope.flatMap(bounds => (Object.keys(HEADS) as (keyof Bounds)[]).flatMap(bound => {
    const ids = bounds[bound]
    return ids ? [t('area_and', t(HEADS[bound]), ids.map(id => nameOf(bound, id)).join('、'))] : []
  })).join('; ')
}
