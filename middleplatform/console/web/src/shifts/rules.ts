/* What alarms are called: a hand-over keeps their numbers and rules alone. */
import {shallowRef} from 'vue'
import {get} from '../api/client'
import type {Alarm} from '../api/types'
import type {Words} from '../i18n'

export const ruleNames = shallowRef<ReadonlyMap<number, Words>>(new Map())

/** Looks the names up of all that is not at rest or suppressed; where they cannot be had the rule's id stands. */
export async function lookUp(signal: AbortSignal): Promise<void> {
  const said = await get<{alarms: Alarm[]} | null>('alarms', {suppressed: 'all', limit: 1000}, signal).catch(() => null)
  const alarms = said?.alarms ?? []
  if (alarms.length) ruleNames.value = new Map([...ruleNames.value, ...alarms.map(alarm => [alarm.id, alarm.rule_name] as const)].slice(-5000))
}
