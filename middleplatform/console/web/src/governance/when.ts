/* Times as the mine's clock shows them, and lengths of time as people say them. */
import {language} from '../i18n'
import {fieldOf, instantOf, isInstant, localOf} from '../live/clock'
import {zone} from '../mine/catalogue'

/** A time (µs UTC): date and clock, to the second. */
export function when(us: number): string {
  return localOf(us / 1000, zone.value)
}

/** A time (µs UTC) as a field of date and time has it. */
export const fieldOfUs = (us: number): string => fieldOf(us / 1000, zone.value)

/** The time (µs UTC) that such a field says; NaN for what is no time. */
export function usOf(field: string): number {
  return (instantOf(field, zone.value) ?? NaN) * 1000
}

/** The time (µs UTC) that an address holds; NaN for none, and for what the platform is to understand or refuse. */
export function heldUs(text: string): number {
  const us = text.trim() ? Number(text) : NaN
  return isInstant(us / 1000) ? us : NaN
}

/** The hour that begins at a time (µs UTC), such as 14:00, with its day where that begins. */
export function hourOf(us: number): {day: string; clock: string} {
  const [day = '', clock = ''] = when(us).split(' ')
  return {day: day.slice(5), clock: clock.slice(0, 5)}
}

/** So many seconds in words. */
export function lasting(seconds: number): string {
  const zh = language.value === 'zh'
  if (seconds < 120) return `${Math.round(seconds)} ${zh ? '秒' : 's'}`
  if (seconds < 7200) return `${Math.round(seconds / 60)} ${zh ? '分' : 'min'}`
  return `${Math.round(seconds / 360) / 10} ${zh ? '小时' : 'h'}`
}
