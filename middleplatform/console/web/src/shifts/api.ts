/* What the platform answers about shifts. Times µs UTC. */
import type {Words} from '../i18n'

export interface Entry {
  id: number
  day: string
  shift: string
  at: number
  who: string
  subject: string
  words: string
  corrects: number | null
}
export interface Log {
  now: {day: string; name: Words; start: number; end: number}
  entries: Entry[]
  next: number | null
}
/** What stands open: what it is depends on its kind. */
export interface Thing {
  id: number | string
  subjects: string[]
  rule?: string
  priority?: number
  state?: string
  since?: number
  suppressed?: string[]
  kind?: string
  reason?: string
  who?: string
  end?: number | null
  sequence?: string
  phase?: string
  equipment?: string
  gateway?: string
  name?: Words
  doubt?: boolean
  at?: number
  value?: number | string | null
}
export type Things = Record<string, Thing[]>
export interface Open {
  open: Things
  unanswered: string[]
  left_out: Record<string, number>
  hidden: number
}
export interface Handover {
  id: number
  day: string
  shift: string
  at: number
  goes: string
  words: string
  open: Things
  unanswered: string[]
  left_out: Record<string, number>
  changed: Record<'appeared' | 'gone', Things> | null
  state: 'offered' | 'taken' | 'withdrawn'
  comes: string
  taken: number | null
  remarks: string
}
