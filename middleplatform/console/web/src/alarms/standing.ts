/* Which alarms the page asks for: all of it is in the address. */
import {computed} from 'vue'
import {route} from '../router'
import type {Asked} from '../api/client'

export const PAGE = 200
const NAMES = ['priority', 'kind', 'area', 'equipment', 'state', 'suppressed', 'q'] as const
export type Filter = (typeof NAMES)[number]
export const NONE: Record<Filter, null> = {priority: null, kind: null, area: null, equipment: null, state: null, suppressed: null, q: null}

export const filters = computed(() => {
  const found: Asked = {}
  for (const name of NAMES) found[name] = route.value.query.get(name)
  return found
})
export const filtered = computed(() => NAMES.some(name => filters.value[name]))
export const flat = computed(() => route.value.query.get('flat') === '1')
export const offset = computed(() => Math.max(0, Math.floor(Number(route.value.query.get('offset')) || 0)))

/** What the address of another page of the room keeps. */
export function held(): Record<string, string | null> {
  return Object.fromEntries(route.value.query)
}
