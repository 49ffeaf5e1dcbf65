/* What the platform answers about commands: see middleplatform/api/commanding.py and control.py. */
import {get, post} from '../api/client'
import type {Words} from '../i18n'

export interface Hanging {
  id: string
  who: string
  reason: string
  at: number
}
export interface GatewayNow {
  name: string
  answers: boolean
  mode: string | null
  controller: string | null
  signed_only: boolean | null
  tags: Hanging[] | null
  tags_trouble: Words | null
}
export interface Requirement {
  point: string
  name: Words
  wanted: string
  now: number | null
  holds: boolean
}
export interface InterlockNow {
  id: string
  name: Words
  holds: boolean
  refuses: string[]
  unless: Requirement[]
}
/** One thing that a point can be told. `persons`: how many must sign it. */
export interface Telling {
  value: number
  name: Words
  effect: string
  safe: boolean
  persons: number
}
export interface CommandedPoint {
  point: string
  gateway: string
  name: Words
  unit: string
  role: string
  low: number | null
  high: number | null
  tells: Telling[]
  answers: boolean
  value: number | string | null
  quality: number | null
  age_s: number | null
  connected: boolean | null
  unsettled: {command: string; who: string; to: number | string | null} | null
  interlocks: InterlockNow[] | null
}
export interface MachineNow {
  ts: number
  equipment: string
  gateways: GatewayNow[]
  points: CommandedPoint[]
  roles: Record<string, Words>
  deadline_s: number
}
export interface Check extends Words {
  check: string
  passed: boolean
}
export interface OrderAnswer {
  outcome: 'selected' | 'done' | 'would' | 'refused' | 'failed' | 'unknown'
  reason: Words
  trace: Check[]
  nonce?: string
  expires_s?: number
  effect?: string
  value?: number | string | null
  unit?: string
  tag?: string
}
export interface HangingTag extends Hanging {
  equipment: string
  gateway: string
}
export interface TagList {
  tags: HangingTag[]
  unanswered: string[]
}

/** In place of a tag's id where a gateway's record of tags cannot be read. */
export const UNREADABLE = 'unreadable'

export const machineNow = (equipment: string, signal?: AbortSignal): Promise<MachineNow> =>
  get<MachineNow>(`control/machines/${encodeURIComponent(equipment)}`, {}, signal)
export const tagList = (signal?: AbortSignal): Promise<TagList> => get<TagList>('control/tags', {}, signal)

/** See middleplatform/api/latches.py. */
export interface Condition extends Requirement {
  quality: number | null
  ts: number | null
  lost: boolean
}
export interface Written {
  point: string
  name: Words
  value: number | null
  state: Words
}
export interface Tripped {
  gateway: string
  at: number
  done: boolean
  held: boolean
  doubt: boolean
  holding: boolean | null
  when: Condition[]
  restore: Condition[]
  refusal: Words | null
}
export interface LinkageNow {
  id: string
  name: Words
  known: boolean
  trips: Written[]
  restores: Written[]
  roles: string[]
  persons: number
  whole: boolean
  gateways: string[]
  tripped: Tripped[]
}
export interface LinkageList {
  ts: number
  gateways: {name: string; answers: boolean; trouble: Words | null}[]
  linkages: LinkageNow[]
  names: Record<string, Words>
}
/** Of all the mine where no machine is named. */
export const linkageList = (equipment: string, signal?: AbortSignal): Promise<LinkageList> =>
  get<LinkageList>('control/linkages', {equipment: equipment || null}, signal)

/** See middleplatform/api/unknown.py. */
export interface UnknownCommand {
  id: string
  point: string
  who: string
  at: number
  value: number | string | null
  state: Words
  settled: {who: string; at: number; seen: 'done' | 'not_done'; reason: string} | null
}
export const unknownList = (equipment: string, signal?: AbortSignal): Promise<{ts: number; commands: UnknownCommand[]}> =>
  get('control/unknown', {equipment}, signal)
export const settleUnknown = ({id, point}: UnknownCommand, seen: 'done' | 'not_done', reason: string): Promise<UnknownCommand> =>
  post<UnknownCommand>(`control/unknown/${encodeURIComponent(id)}`, {point, seen, reason})
