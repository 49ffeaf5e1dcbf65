/* What an event says besides its kind and times: names with one value each, written as text. */

export type Single = string | number | boolean | null
export interface Said {
  name: string
  text: string
  /** What it was before anybody wrote: kept as it is, unless the text changes. */
  was?: Single
}
export interface Happened {
  id: string
  kind: string
  start: number
  end: number | null
  attributes: Record<string, unknown>
}

const single = (value: unknown): value is Single => value === null || ['string', 'number', 'boolean'].includes(typeof value)
const textOf = (value: Single): string => (value === null ? '' : String(value))

/** A number where it is written as one; else what was written. */
function valueOf(text: string): Single {
  const said = text.trim()
  if (said === 'true' || said === 'false') return said === 'true'
  return /^-?\d{1,15}(\.\d{1,15})?$/.test(said) ? Number(said) : said
}

/** What an event says, to be written over; what has more than one value cannot be, and is named in `lost`. */
export function read(of: Happened): {rows: Said[]; lost: string[]} {
  const all = Object.entries(of.attributes)
  return {
    rows: all.flatMap(([name, value]) => (single(value) ? [{name, text: textOf(value), was: value}] : [])),
    lost: all.filter(([, value]) => !single(value)).map(([name]) => name),
  }
}

export function written(rows: readonly Said[]): Record<string, Single> {
  const named = rows.filter(each => each.name.trim())
  return Object.fromEntries(named.map(each => [each.name.trim(), each.was !== undefined && textOf(each.was) === each.text ? each.was : valueOf(each.text)]))
}
