/* The bytes of an order that are signed, exactly as models/control/canonical.py and order.py make them. */

const ORDER = 'sevenones order 1\n'

/** One form of text for one JSON value: keys in order, no spaces, whole numbers without a point. Throws for what JSON does not hold. */
export function canonical(value: unknown): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'number') return number(value)
  if (typeof value === 'string') return text(value)
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
  if (typeof value !== 'object') throw new TypeError(`not a value of JSON: ${typeof value}`)
  const fields = Object.entries(value as Record<string, unknown>).sort(([a], [b]) => before(a, b))
  return `{${fields.map(([name, each]) => `${text(name)}:${canonical(each)}`).join(',')}}`
}

/** What a person's key signs. */
export function signed(order: object): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(ORDER + canonical(order))
}

function text(value: string): string {
  // JSON.stringify writes half a character as an escape, which the other side takes for no character at all.
  if (/\p{Surrogate}/u.test(value)) throw new TypeError('a text has half a character')
  return JSON.stringify(value)
}

/** As the edge writes it: below 0.0001 with an exponent of two digits at least. */
function number(value: number): string {
  if (!Number.isFinite(value)) throw new TypeError('a number is not finite')
  if (Number.isInteger(value) || Math.abs(value) >= 1e-4) return JSON.stringify(value)
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}

/** By code points, as the edge sorts: UTF-16 puts 💡 before ﬁ. */
function before(a: string, b: string): number {
  const [left, right] = [Array.from(a, each => each.codePointAt(0)!), Array.from(b, each => each.codePointAt(0)!)]
  for (let k = 0; k < left.length && k < right.length; k++) if (left[k] !== right[k]) return left[k]! - right[k]!
  return left.length - right.length
}

export function base64(data: ArrayBuffer): string {
  return btoa(String.fromCharCode(...new Uint8Array(data)))
}

/** Throws for what is no base64. */
export function bytes(encoded: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(encoded), each => each.charCodeAt(0))
}
