/* What a machine itself says after a command that it took: a word that was written is not yet a machine that moved. */
import {runOfPoint, runPoints} from '../equipment/running'
import type {PointFacts} from '../api/types'
import {byEquipment} from '../mine/catalogue'

/** `words`: what it says, '' where nothing; `agrees`: null while that is not known. */
export interface Feedback {
  agrees: boolean | null
  words: string
  /** Whether there is a point that would say it at all. */
  told: boolean
}

const WANTED: Record<string, 'running' | 'stopped'> = {start: 'running', power_on: 'running', stop: 'stopped', power_off: 'stopped'}

/** Null for a command that neither starts nor stops anything. */
export function feedbackOf(equipment: string, effect: string): Feedback | null {
  const wanted = WANTED[effect]
  if (!wanted) return null
  const each = pointsOf(equipment, effect).map(runOfPoint)
  const runs = each.find(run => run.shown === 'running')
  const dark = each.find(run => run.shown === 'unknown')
  const deciding = runs ?? dark ?? each[0]
  if (!deciding) return {agrees: null, words: '', told: false}
  return {agrees: deciding.shown === 'unknown' ? null : deciding.shown === wanted, words: deciding.words, told: true}
}

/** A breaker is told on by itself, whether or not what it feeds runs. */
function pointsOf(equipment: string, effect: string): PointFacts[] {
  if (effect === 'start' || effect === 'stop') return runPoints(equipment)
  return (byEquipment.value.get(equipment) ?? []).filter(point => point.role === 'breaker.state')
}
