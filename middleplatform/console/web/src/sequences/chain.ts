/* Each step of a run as its journal tells it: waiting, running, done, failed, broken off by the way back, or skipped. */
import type {LineFacts, RunFacts, SequenceFacts, StepFacts} from './api'
import type {Words} from '../i18n'

export type StepState = 'waiting' | 'running' | 'done' | 'already' | 'failed' | 'broken' | 'skipped'
export interface Link {
  step: StepFacts
  state: StepState
  began: number | null
  ended: number | null
  /** What the gateways said to its commands, and why it failed. */
  said: {words: Words; outcome: string; point: string; value: number | null; at: number}[]
}

/** Before the id of a step of the way back. */
export const BACK = 'abort/'

/** The way forward and, once it was taken, the way back. */
export function chainOf(run: RunFacts, definition: SequenceFacts, journal: readonly LineFacts[]): {steps: Link[]; back: Link[]} {
  // Lines of the way back name their steps with its mark before them.
  const turn = journal.findIndex(line => line.what === 'abort')
  const [forth, back] = turn < 0 ? [journal, []] : [journal.slice(0, turn), journal.slice(turn)]
  const over = run.ended !== null
  return {
    steps: definition.steps.map(step => link(step, forth, over || turn >= 0)),
    back: turn < 0 ? [] : definition.abort.map(step => link(step, back, over, BACK)),
  }
}

function link(step: StepFacts, lines: readonly LineFacts[], over: boolean, mark = ''): Link {
  const own = lines.filter(line => line.step === mark + step.id)
  const begun = own.find(line => line.what === 'step')
  const ended = own.filter(line => line.what === 'confirm' || line.what === 'fail').at(-1)
  const resumed = ended && own.some(line => line.what === 'resume' && line.number > ended.number)
  const already = own.some(line => line.what === 'step' && line.words.en !== '')
  let state: StepState = 'waiting'
  if (already && ended?.what === 'confirm') state = 'already'
  else if (ended && !resumed) state = ended.what === 'confirm' ? 'done' : 'failed'
  else if (begun) state = over ? 'broken' : 'running'
  else if (over) state = 'skipped'
  return {
    step,
    state,
    began: begun?.at ?? null,
    ended: ended && !resumed ? ended.at : null,
    said: own.filter(line => line.what === 'command' || line.what === 'answer' || line.what === 'fail' || line.what === 'hold').map(line => ({
      words: line.words, outcome: line.outcome || line.what, point: line.point, value: line.value, at: line.at,
    })),
  }
}
