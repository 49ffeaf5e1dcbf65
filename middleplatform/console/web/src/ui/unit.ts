/** A unit as people write it: the models keep to plain characters. */
export function unitWords(unit: string): string {
  return unit.replace(/^degC/, '°C').replace(/^deg\b/, '°').replace(/m3\b/g, 'm³').replace(/\*/g, '·')
}
