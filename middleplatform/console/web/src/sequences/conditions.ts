/* Conditions as the platform tells them ("belt_101/speed ≥ 95 % of belt_101/speed_set, 7 s") by people's names of things. */
import {t} from './words'
import {named} from '../i18n'
import {byPath, mine} from '../mine/catalogue'
import type {PointFacts} from '../api/types'

export interface Said {
  words: string
  /** The point that it is about, where there is one that the caller knows. */
  point: PointFacts | null
  /** Whether it holds of a value; null where that does not say it: of another point's, or of how long. */
  holds: (value: number) => boolean | null
}
const NOBODY_KNOWS = (): null => null

/** "= 0 | 2" or "≥ 1 ≤ 5" of a value; what is compared with another point is not judged here. */
function holdsOf(text: string): Said['holds'] {
  const compared = /^\S+\/\S+ (.*?)(?:, [\d.]+ s)?$/.exec(text)?.[1] ?? ''
  const values = /^= ([\d.e+-]+(?: \| [\d.e+-]+)*)$/.exec(compared)
  if (values) return value => values[1]!.split(' | ').some(each => Number(each) === value)
  const bounds = [...compared.matchAll(/([≥≤<>]) ([\d.e+-]+)/g)]
  if (!bounds.length || bounds.map(each => each[0]).join(' ') !== compared) return NOBODY_KNOWS
  return value => bounds.every(([, sign, bound]) => sign === '≥' ? value >= Number(bound) : sign === '≤' ? value <= Number(bound) : sign === '<' ? value < Number(bound) : value > Number(bound))
}

export function factsOf(path: string): PointFacts | undefined {
  return byPath.value.get(path) ?? byPath.value.get(`${mine.value?.code}/${path}`)
}

/** A point with its machine's name, which it says little without. */
export function pointName(path: string): string {
  const facts = factsOf(path)
  if (!facts) return path
  const [of, own] = [named(facts.equipment.name), named(facts.name)]
  return own.includes(of) ? own : `${of} ${own}`
}

/** A value of a point: a state by its name, a number with its unit. */
export function valueName(path: string, value: string | number): string {
  const facts = factsOf(path)
  const state = facts?.states[String(value)]
  return state ? named(state) : `${value} ${facts?.unit ?? ''}`.trim()
}

/** One text of the platform: several conditions of which any will do stand in one, separated by |. */
export function inWords(text: string): Said[] {
  const empties = /^∫ (\S+) dt ≥ (\S+) m, \+ (\S+) s$/.exec(text)
  if (empties) return [{words: t('empties', pointName(empties[1]!), empties[2]!, empties[3]!), point: factsOf(empties[1]!) ?? null, holds: NOBODY_KNOWS}]
  const wait = /^([\d.]+) s$/.exec(text)
  if (wait) return [{words: t('waits', wait[1]!), point: null, holds: NOBODY_KNOWS}]
  const parts = text.split(/ \| (?=\S+\/\S+ )/)
  return parts.map((part, k) => ({words: (k ? `${t('or')} ` : '') + one(part), point: factsOf(part.split(' ')[0]!) ?? null, holds: holdsOf(part)}))
}

function one(text: string): string {
  const found = /^(\S+\/\S+) (.*?)(?:, ([\d.]+) s)?$/.exec(text)
  if (!found) return text
  const [, path = '', compared = '', lasting] = found
  const words = compared
    .replace(/([≥≤]) (\S+) % of (\S+)/g, (_, sign: string, share: string, of: string) => `${sign} ${t('share', share, pointName(of))}`)
    .replace(/^= (.*)$/, (_, values: string) => `= ${values.split(' | ').map(value => valueName(path, value)).join(` ${t('or')} `)}`)
    .replace(/([≥≤]) ([\d.e+-]+)(?=$| [≥≤])/g, (_, sign: string, bound: string) => `${sign} ${valueName(path, bound)}`)
  return `${pointName(path)} ${words}${lasting ? t('lasting', lasting) : ''}`
}

/** Holds the path of what was named, for what is said of it after. */
const MARK = '\u0000'
const POINT = /[a-z0-9_\-]+\/[a-z0-9_.\-]+/g

/** What the platform says of points by their paths ("belt_101/mode = 2 | 3（现为 1）"), by people's names and states. */
export function inNames(text: string): string {
  const states = text.replace(/([a-z0-9_-]+\/[a-z0-9_.-]+) = ([\d.]+(?: \| [\d.]+)*)/g, (whole, path: string, values: string) =>
    factsOf(path) ? `${pointName(path)} ${t('must_be', values.split(' | ').map(value => valueName(path, value)).join('/'))}${MARK}${path}${MARK}` : whole)
  const bounds = states.replace(/([a-z0-9_-]+\/[a-z0-9_.-]+) ([≥≤] [\d.e+-]+)(?![\d.e+-]| %)/g, (whole, path: string, bound: string) =>
    factsOf(path) ? `${pointName(path)} ${bound} ${factsOf(path)!.unit}`.trim() + MARK + path + MARK : whole)
  return bounds
    .replace(/\u0000([^\u0000]+)\u0000([^\u0000；;]*?)(现为 |\(is )([\d.e+-]+)/g, (_, path: string, between: string, is: string, value: string) => `${between}${is}${valueName(path, value)}`)
    .replace(/\u0000[^\u0000]+\u0000/g, '')
    .replace(POINT, path => (factsOf(path) ? pointName(path) : path))
}
