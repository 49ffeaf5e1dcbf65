/* Users, tokens and roles as the platform tells of them. */
import type {Words} from '../../i18n'

/** Bounds that all hold; each names what may be seen. Empty: everything. */
export type Bounds = Partial<Record<'mines' | 'areas' | 'subsystems' | 'classes', string[]>>
export interface UserRow {
  name: string
  role: string
  scope: Bounds[]
  must_change: boolean
  created: string
  locked_s: number
}
export interface TokenRow {
  id: number
  name: string
  role: string
  user: string | null
  maker: string | null
  created: string
  expires: string | null
  revoked: string | null
  scope: Bounds[]
}
export interface Policy {
  permissions: {id: string; name: Words}[]
  roles: {id: string; name: Words; may: string[]; added: string[]; removed: string[]}[]
  changed: {who: string; time: string} | null
}
