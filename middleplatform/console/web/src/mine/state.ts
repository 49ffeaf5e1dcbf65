/* What an equipment is now, in one look: by the roles of its points, never by tag names. */
import {board} from '../alarms/board'
import type {PointFacts} from '../api/types'
import {named} from '../i18n'
import {trustOf} from '../live/quality'
import {sampleOf, type Sample} from '../live/values'
import type {State} from '../map/engine'
import {plain} from '../ui/number'
import {byEquipment} from './catalogue'

/** Roles that tell whether an equipment runs, and by which of their values it does (models/library). */
export const RUNS: Record<string, readonly number[]> = {'run.state': [1], 'afc.state': [2, 3], 'pump.state': [2]}
/** Of what an equipment measures, the role that stands for it where there are several. */
const FIRST = ['ch4', 'co', 'belt.speed', 'shearer.speed', 'sump.level']
const HIDDEN = new Set(['sensor.state', 'device.heartbeat', 'control.mode', 'fault.code', ...Object.keys(RUNS)])

interface Faces {
  run: PointFacts | undefined
  value: PointFacts | undefined
}
const known = new WeakMap<PointFacts[], Faces>()

/** The points that stand for an equipment: whether it runs, and what it measures. */
export function facesOf(equipment: string): Faces {
  const points = byEquipment.value.get(equipment)
  if (!points) return {run: undefined, value: undefined}
  let found = known.get(points)
  if (!found) {
    const analog = points.filter(point => point.kind === 'analog' && !HIDDEN.has(point.role))
    found = {
      run: Object.keys(RUNS).map(role => points.find(point => point.role === role)).find(Boolean),
      value: FIRST.map(role => points.find(point => point.role === role)).find(Boolean) ?? (analog.length === 1 ? analog[0] : undefined),
    }
    known.set(points, found)
  }
  return found
}

/** Equipment → the most urgent of its open alarms. */
export function alarmsByEquipment(): Map<string, number> {
  return new Map(Object.entries(board.value?.equipment ?? {}).map(([id, {priority}]) => [id, priority]))
}

/** `sample`: what a point is; by default what it is now. */
export function stateOf(equipment: string, alarms: ReadonlyMap<string, number>, sample: (path: string) => Sample | null = path => sampleOf(path).value): State {
  const {run, value} = facesOf(equipment)
  const runs = run ? sample(run.point) : null
  const shows = value ? sample(value.point) : null
  const bad = [runs, shows].some(each => each && trustOf(each.quality) !== 'good') || (!!(run ?? value) && !runs && !shows)
  let shown: State['shown'] = 'plain'
  if (run) {
    const said = runs?.value ?? null
    shown = said === null || bad ? 'unknown' : RUNS[run.role]!.includes(said) ? 'running' : 'stopped'
  }
  const number = shows?.value === null || !shows ? '' : plain(shows.value, 3)
  const label = value && number ? `${value.states[number] ? named(value.states[number]) : number} ${value.unit}`.trim() : ''
  const speed = value?.role === 'belt.speed' ? Math.abs(shows?.value ?? 0) : 0
  return {shown, priority: alarms.get(equipment) ?? 0, bad, label, speed}
}
