/* The time that figures are of, as the address holds it: `p` = 2026-03-02, 2026-03, 2026, or 2026-03-02..2026-03-10; and `shift`. */
import {computed, watch} from 'vue'
import {named, type Words} from '../i18n'
import {localOf} from '../live/clock'
import {mine, zone} from '../mine/catalogue'
import {hold, route} from '../router'
import {t} from './words'

export type Kind = 'day' | 'month' | 'year' | 'range'
export interface Period {
  kind: Kind
  text: string
  first: string
  last: string
  /** What is wrong with the text, so that this month stands in for it. */
  wrong?: 'no_period' | 'reversed' | 'too_early'
}
/** Of the time before no mine has figures, and the browser takes years of two digits for those of the last century. */
const EARLIEST = '2000'
const DAY = /^\d{4}-\d\d-\d\d$/

/** The date at the mine now. */
export function today(): string {
  return localOf(Date.now(), zone.value).slice(0, 10)
}
export function shifted(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * 86_400_000).toISOString().slice(0, 10)
}
/** How many days there are from one to another, both included. */
export function count(first: string, last: string): number {
  return Math.round((Date.parse(last) - Date.parse(first)) / 86_400_000) + 1
}
export function monthEnd(month: string): string {
  const [year, of] = month.split('-').map(Number)
  return shifted(`${String(of === 12 ? year! + 1 : year).padStart(4, '0')}-${String((of! % 12) + 1).padStart(2, '0')}-01`, -1)
}
const dated = (day: string): boolean => DAY.test(day) && !Number.isNaN(Date.parse(day)) && shifted(day, 0) === day
export const real = (day: string): boolean => dated(day) && day >= EARLIEST
/** What runs ends today: days to come lack nothing. */
const ended = (first: string, last: string, now: string): string => (last > now && first <= now ? now : last)

export function read(text: string, now = today()): Period {
  const [first = '', last = '', more] = text.split('..')
  const range = more === undefined && dated(first) && dated(last)
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(text)
  if (text && !dated(text) && !/^\d{4}$/.test(text) && !month && !range) return {...monthOf(now.slice(0, 7), now), wrong: 'no_period'}
  if (text && text < EARLIEST) return {...monthOf(now.slice(0, 7), now), wrong: 'too_early'}
  if (range && last < first) return {...monthOf(now.slice(0, 7), now), wrong: 'reversed'}
  if (dated(text)) return {kind: 'day', text, first: text, last: text}
  if (range) return {kind: 'range', text, first, last}
  if (/^\d{4}$/.test(text)) return {kind: 'year', text, first: `${text}-01-01`, last: ended(`${text}-01-01`, `${text}-12-31`, now)}
  return monthOf(month ? text : now.slice(0, 7), now)
}
const monthOf = (text: string, now: string): Period => ({kind: 'month', text, first: `${text}-01`, last: ended(`${text}-01`, monthEnd(text), now)})
const LONGEST_TOLD = 60
/** In words why a text is no period, and empty where it is one. */
export function wrongWords(text: string): string {
  const {wrong} = read(text)
  return wrong ? t(wrong, text.length > LONGEST_TOLD ? `${text.slice(0, LONGEST_TOLD)}…` : text) : ''
}

/** The pages of which all are of one period: what was chosen on one holds on the others too, until the browser's tab is closed. */
const PAGES = ['figures', 'energy', 'production']
const KEPT = 'period'
watch(route, ({page, query}) => {
  if (!PAGES.includes(page)) return
  const p = query.get('p')
  if (p && !read(p).wrong) sessionStorage.setItem(KEPT, p)
  else if (!p && sessionStorage.getItem(KEPT)) hold({p: sessionStorage.getItem(KEPT)})
}, {immediate: true, flush: 'sync'})

export const period = computed(() => read(route.value.query.get('p') ?? ''))
const EVERY_S = 60
/** What holds today still changes: every page of figures asks it anew after so many seconds. */
export const renewed = (last: string): number | null => (last >= today() ? EVERY_S : null)
export const running = (): number | null => renewed(period.value.last)
/** An instant, µs UTC, as the mine's clock shows it, to the minute; with its date where that is not today's. */
export function minuteOf(us: number): string {
  const on = localOf(us / 1000, zone.value)
  return on.slice(0, 10) === today() ? on.slice(11, 16) : on.slice(0, 16)
}
export const shift = computed(() => route.value.query.get('shift') ?? '')
/** What every link within the figures carries on. */
export const kept = computed<Record<string, string | null>>(() => ({p: period.value.wrong ? null : route.value.query.get('p'), shift: shift.value || null}))
/** The mine's shifts as it calls them, by their keys: its number, or "rest" outside of all. */
export const shifts = computed(() => [
  ...((mine.value as {shifts?: {name: Words}[]} | null)?.shifts ?? []).map((each, at) => ({key: String(at + 1), name: named(each.name)})),
  {key: 'rest', name: t('rest')},
])
export const shiftName = (key: string): string => shifts.value.find(each => each.key === key)?.name ?? `${t('shift')} ${key}`
