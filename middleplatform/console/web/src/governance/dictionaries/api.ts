/* Dictionaries as the platform tells of them. */
import type {Words} from '../../i18n'

export interface Edition {
  kind: string
  version: number
  edition: string
  effective_from: string
  source: string
  who: string
  at: number | null
  entries: number
}
export interface Kind {
  kind: string
  name: Words
  means: Words
  columns: {name: string; title: string; key: boolean; needs: boolean}[]
  holds: number | null
  versions: Edition[]
}
