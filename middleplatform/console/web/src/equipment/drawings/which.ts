/* Which drawing a machine has: by the roles of what it says, never by what it is called. */
import {defineAsyncComponent, type Component} from 'vue'
import {byEquipment, machines} from '../../mine/catalogue'

interface Drawing {
  /** It is for machines that have one of these. */
  roles: readonly string[]
  shown: Component
}
const drawing = (load: () => Promise<Component>, ...roles: string[]): Drawing => ({roles, shown: defineAsyncComponent(load)})

/** The first that fits. */
const DRAWINGS: readonly Drawing[] = [
  drawing(() => import('./Longwall.vue'), 'support.leg_pressure', 'shearer.position', 'afc.state'),
  drawing(() => import('./Heading.vue'), 'boom.swing', 'boom.lift', 'heading.advance_total', 'drill.depth', 'drill.rotation'),
  drawing(() => import('./PumpRoom.vue'), 'sump.level', 'pump.state', 'tank.level'),
  drawing(() => import('./Fans.vue'), 'fan.negative_pressure', 'fan.total_pressure', 'fan.duty'),
  drawing(() => import('./Compressors.vue'), 'compressor.pressure'),
  drawing(() => import('./Substation.vue'), 'breaker.state', 'transformer.load', 'transformer.temperature'),
  drawing(() => import('./Network.vue'), 'link.online', 'station.run_state'),
  drawing(() => import('./Sensor.vue'), 'sensor.state'),
]
const BELTS = drawing(() => import('./BeltLine.vue'), 'belt.speed', 'belt.flow')

export function drawingOf(id: string): Component | null {
  const roles = new Set((byEquipment.value.get(id) ?? []).map(point => point.role))
  const fits = (each: Drawing): boolean => each.roles.some(role => roles.has(role))
  const found = DRAWINGS.find(fits)
  if (found) return found.shown
  // A scale measures a belt and is none: it has no motor.
  const belt = fits(BELTS) && (roles.has('run.state') || machines.value.get(id)?.feeds)
  return belt ? BELTS.shown : null
}
