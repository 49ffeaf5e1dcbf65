/** A number as people read it: so many digits as say something, none of a float's dust. A tiny one is written with its
 *  exponent and never as 0: it may be the bytes of another number in a wrong order. */
export function plain(value: number, digits = 5): string {
  if (value === 0) return '0'
  return String(Number(value.toPrecision(Math.min(21, Math.max(digits, Math.ceil(Math.log10(Math.abs(value))))))))
}

/** A number to what its range (`span`) can tell: 0.000011 t/h of a belt for 8000 t/h is nothing. */
export function fine(value: number, span: number | null): number {
  if (!span || !(span > 0) || !Number.isFinite(span)) return value
  const places = Math.ceil(-Math.log10(span * 1e-5))
  return places >= 0 && places <= 12 ? Number(value.toFixed(places)) : value
}
