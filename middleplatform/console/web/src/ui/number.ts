/** A number as people read it: so many digits as say something, none of a float's dust. */
export function plain(value: number, digits = 5): string {
  if (Math.abs(value) < 1e-6) return '0'
  return String(Number(value.toPrecision(Math.max(digits, Math.ceil(Math.log10(Math.abs(value)))))))
}

/** A number to what its range (`span`) can tell: 0.000011 t/h of a belt for 8000 t/h is nothing. */
export function fine(value: number, span: number | null): number {
  if (!span || !(span > 0) || !Number.isFinite(span)) return value
  const places = Math.ceil(-Math.log10(span * 1e-5))
  return places >= 0 && places <= 12 ? Number(value.toFixed(places)) : value
}
