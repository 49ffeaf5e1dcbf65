/* How an alarm is called on every page of the room. */
import type {Alarm, Group, Place} from '../api/types'
import {named, type Words} from '../i18n'
import {byPath} from '../mine/catalogue'
import {plain} from '../ui/number'

export interface Called {
  name: Words
  equipment: Place | null
}

/** A point's own name says little without its equipment's. */
export function whereOf(alarm: Called): string {
  const [of, own] = [named(alarm.equipment?.name), named(alarm.name)]
  return !of || own.includes(of) ? own : `${of} · ${own}`
}

/** A value with its unit; nothing where there is none. */
export const valueOf = (value: number | null, unit: string): string => (value === null ? '' : `${plain(value)} ${unit}`.trim())

/** What an alarm was raised with: the word of a state where its point has words. */
export function raisedWith({subject, value, unit}: {subject: string; value: number | null; unit: string}): string {
  const state = value === null ? undefined : byPath.value.get(subject)?.states[String(value)]
  return state ? named(state) : valueOf(value, unit)
}

/** What a group is shown by: its head may have been acknowledged, or have returned, while another stands. */
export const urgentOf = (group: Group): Alarm => group.urgent ?? group.head

export const awaitsOf = (state: string): boolean => state.includes('unacknowledged')
