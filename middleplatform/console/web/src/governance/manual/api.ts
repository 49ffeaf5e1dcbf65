/* Entries by hand as the platform tells of them. */
export interface Entry {
  id: number
  kind: string
  subject: string
  start: number
  end: number | null
  body: Record<string, unknown> | null
  was: Record<string, unknown> | null
  reason: string
  who: string
  at: number
  state: 'waiting' | 'approved' | 'rejected' | 'withdrawn'
  decided_by: string | null
  decided_at: number | null
  decision: string | null
  published: number | null
}
/** As a list has it: of an entry of values the first sample of `count`. */
export interface Listed extends Entry {
  first: Pick<Sample, 'ts' | 'value' | 'quality' | 'text'> | null
  count: number
}
/** `was_known`: whether the store told what was there before. */
export interface Detail extends Entry {
  samples: Sample[]
  was_known: boolean
}
export interface Sample {
  ts: number
  value: number | null
  quality: number
  text: string | null
  was_value: number | null
  was_quality: number | null
  was_text: string | null
}
export interface Version extends Sample {
  number: string
  reason: string
  who: string
  at: number
  decided_by: string | null
  decided_at: number | null
}
