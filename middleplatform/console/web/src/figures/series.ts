/* The mine's figures by day, as the grid and the bars of the levels beneath show them. */
import {share} from './form'
import type {Bar} from './Bars.vue'
import type {Figure} from './api'
import type {Cell} from './Days.vue'
import {shifted} from './period'
import {t} from './words'

type Told = Pick<Figure, 'rate' | 'least' | 'most' | 'coverage'>

/** A cell for each day from first to last, whether or not something is kept of it. */
export function cells(first: string, last: string, told: Map<string, Told & {assessable: boolean; provisional: boolean}>, href: (day: string) => string): Cell[] {
  const found: Cell[] = []
  for (let day = first; day <= last; day = shifted(day, 1)) {
    const of = told.get(day)
    found.push({day, rate: of?.rate ?? null, least: of?.least ?? null, most: of?.most ?? null, coverage: of?.coverage ?? null, assessable: of?.assessable ?? false, provisional: of?.provisional ?? false, missing: !of, href: href(day)})
  }
  return found
}
export function bar(key: string, label: string, of: Told | undefined, href: string | null): Bar {
  const none = {rate: null, least: null, most: null, coverage: null}
  return {key, label, note: of ? `${t('coverage')} ${share(of.coverage)}` : t('unknown_cell'), href, ...(of ?? none), ...(of && {rate: of.rate, least: of.least, most: of.most, coverage: of.coverage})}
}
