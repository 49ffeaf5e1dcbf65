/* What a machine says, grouped by what it means: by roles, whoever built it and whatever its tags are called. */
import type {PointFacts} from '../api/types'

export type Meaning = 'work' | 'gas' | 'electrical' | 'condition' | 'liquid' | 'protection' | 'control' | 'total'
/** In the order that they are shown. */
export const MEANINGS: readonly Meaning[] = ['work', 'gas', 'electrical', 'condition', 'liquid', 'control', 'total']

const GAS = /^(ch4|co|co2|o2|dust|smoke|air\.(temperature|humidity))$/
const CONDITION = /(\.temperature$|^vibration\.|^lubrication\.|^cooling\.|^filter\.|tank_temperature$)/
const ELECTRICAL = /^(power|transformer|motor|drive|breaker|isolator|feed|supply|station\.(power|supply))(\.|$)|\.current$/
const LIQUID = /^(hydraulic|spray|tank|priming|valve)\./
const CONTROL = /^(control|fault|device|remote|sensor|run|lock)\.|^(pump|afc)\.state$|^fan\.(duty|direction)$|^(shearer\.direction|cutting\.mode|link\.online|station\.(run_state|service|generation))$/

export function meaningOf(point: PointFacts): Meaning | 'command' {
  const {role, kind} = point
  if (role.startsWith('command.')) return 'command'
  if (role.startsWith('protection.') || role.startsWith('lock.')) return 'protection'
  if (kind === 'counter') return 'total'
  if (GAS.test(role)) return 'gas'
  if (CONTROL.test(role) || kind === 'text') return 'control'
  if (CONDITION.test(role)) return 'condition'
  if (LIQUID.test(role)) return 'liquid'
  if (ELECTRICAL.test(role)) return 'electrical'
  return 'work'
}

export function grouped(points: readonly PointFacts[]): Map<Meaning | 'command', PointFacts[]> {
  const found = new Map<Meaning | 'command', PointFacts[]>()
  for (const point of points) {
    const meaning = meaningOf(point)
    const of = found.get(meaning)
    if (of) of.push(point)
    else found.set(meaning, [point])
  }
  return found
}

/** Of what a machine measures, what says most of how it does: these stand first, and have curves. */
const FIRST = [
  'ch4', 'co', 'co2', 'o2', 'dust', 'air.velocity', 'air.temperature', 'shearer.position', 'shearer.speed', 'belt.speed', 'belt.flow', 'sump.level', 'sump.inflow', 'pump.flow',
  'pump.pressure', 'fan.negative_pressure', 'fan.total_pressure', 'air.volume', 'compressor.pressure', 'receiver.pressure', 'compressor.flow', 'support.leg_pressure', 'drive.load',
  'transformer.load', 'power.active', 'power.current', 'cutting.current', 'motor.current', 'drive.power', 'hydraulic.pressure', 'drill.depth', 'station.users', 'link.traffic_in',
]
const rank = new Map(FIRST.map((role, k) => [role, k]))

/** Analog points, what says most first. */
export function telling(points: readonly PointFacts[]): PointFacts[] {
  return points
    .filter(point => point.kind === 'analog' && !['control', 'command', 'protection'].includes(meaningOf(point)))
    .map((point, k) => ({point, at: (rank.get(point.role) ?? FIRST.length) * 1000 + k}))
    .sort((a, b) => a.at - b.at)
    .map(each => each.point)
}
