/* Why an order is refused, as people read it: all that stands in its way, by the names that things have here. */
import type {Check} from './api'
import {named, type Words} from '../i18n'
import {byPath, machines} from '../mine/catalogue'

/** First whether somebody works there: that is nobody's to reason away. */
export function standing(trace: readonly Check[]): Check[] {
  return trace.filter(each => !each.passed).sort((a, b) => Number(b.check === 'tag') - Number(a.check === 'tag'))
}

/** Paths and ids that a gateway names, by their names; what looks like a word of a sentence stays one. */
export function calledByName(words: Words): string {
  return named(words)
    .replace(/\d{12}\/[A-Za-z0-9_]+\/[A-Za-z0-9_.]+/g, path => {
      const point = byPath.value.get(path)
      return point ? `${named(point.equipment.name)} ${named(point.name)}` : path
    })
    .replace(/[A-Za-z0-9_]*[0-9_][A-Za-z0-9_]*/g, id => named(machines.value.get(id)?.name) || id)
}
