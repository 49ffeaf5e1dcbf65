/* What figures are kept of today: asked once for the whole page. */
import {get} from '../api/client'
import {polled} from '../live/polled'
import {shift} from './shift'

export interface Amount {
  value: number | null
  coverage: number | null
  known: number | null
}
export interface Production {
  provisional: string[]
  missing: string[]
  tonnes: Amount
  shifts: Record<string, Amount>
  machines: {id: string; counts: Record<string, Amount>}[]
}
export interface Energy {
  incoming: boolean
  missing: string[]
  used: {kwh: Amount; cost: {money: number | null}}
  intensity: {kwh_per_t: {value: number | null; coverage: number | null}}
}
export interface Rate {
  period: string
  first: string
  missing: number
  provisional: boolean
  rate: number | null
  least: number | null
  most: number | null
  coverage: number | null
  standing: string
  why_words: {zh: string; en: string}
}
interface Figure {
  periods: Rate[]
  trouble: {zh: string; en: string}[]
}

const BACK_DAYS = 31
const today = (): {first: string; last: string} => ({first: shift.value.day, last: shift.value.day})

export const askProduction = () => polled(signal => get<Production>('kpi/production', today(), signal), 60)
export const askEnergy = () => polled(signal => get<Energy>('kpi/energy', today(), signal), 120)

/** Today's utilisation; where nothing is known of today, that of the last day that was made. */
export const askRate = () => polled(async signal => {
  const day = shift.value.day
  const said = await get<Figure>('kpi/figure', {first: day, last: day, by: 'day'}, signal)
  const rate = said.periods[0]
  if (rate && rate.rate !== null) return {rate, today: true, trouble: said.trouble}
  const first = new Date(Date.parse(`${day}T00:00:00Z`) - BACK_DAYS * 86_400_000).toISOString().slice(0, 10)
  const before = await get<Figure>('kpi/figure', {first, last: day, by: 'day'}, signal)
  return {rate: before.periods.filter(each => each.rate !== null).at(-1) ?? null, today: false, trouble: said.trouble}
}, 120)
