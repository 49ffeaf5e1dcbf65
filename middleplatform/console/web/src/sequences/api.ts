/* What the platform answers about sequences: see middleplatform/api/sequence_facts.py. */
import type {Words} from '../i18n'

export interface StepFacts {
  id: string
  name: Words
  commands: {point: string; value: number}[]
  until: string[]
  keep: string[]
  within_s: number
  on_failure: string
}
export interface SequenceFacts {
  id: string
  name: Words
  direction: 'start' | 'stop'
  warning_s: number
  needs: string[]
  steps: StepFacts[]
  abort: StepFacts[]
  source: string
}
export type Phase = 'asked' | 'warning' | 'running' | 'held' | 'paused' | 'aborting' | 'done' | 'aborted' | 'refused'
export interface RunFacts {
  id: number
  sequence: string
  name: Words
  who: string
  note: string
  at: number
  phase: Phase
  step: number
  steps: number
  step_name: Words | null
  reason: Words
  missed: string[]
  wish: string | null
  ended: number | null
  driven_s: number | null
}
export interface LineFacts {
  number: number
  at: number
  what: string
  step: string
  command: number
  point: string
  value: number | null
  outcome: string
  who: string
  words: Words
}
export interface RunWhole extends RunFacts {
  definition: SequenceFacts
  journal: LineFacts[]
}
export interface RunFrame {
  snapshot?: boolean
  t: number
  runs?: RunFacts[]
  lines?: (LineFacts & {run: number})[]
  error?: {code: string; message: string; message_zh?: string}
}
export interface RotationFacts {
  id: string
  name: Words
  runs: boolean
  who: string | null
  says: Words
  level: string
  low: number
  start: number
  high: number
  high_high: number
  tariff: string
  pumps: string[]
  source: string
}
export const ENDED: readonly Phase[] = ['done', 'aborted', 'refused']
