/* The mine as the caller sees it: its name, places, equipment and points, by path, equipment and role. */
import {computed, shallowRef} from 'vue'
import {get} from '../api/client'
import type {Place, PointFacts} from '../api/types'
import type {Words} from '../i18n'

const PAGE = 10_000

export interface Equipment extends Place {
  template: string
  area: string | null
  /** The category of its template, '' where it is not known. */
  subsystem: string
  /** The belt that its coal falls onto, where the map tells. */
  feeds: string | null
}
export interface Mine {
  code: string
  name: Words
  time_zone: string
  run_style: 'grey' | 'green'
  /** Of its calendar, "HH:MM" by the mine's clock. */
  shifts: {name: Words; start: string; end: string}[]
  capacity_kt: number
  areas: (Place & {parent: string | null})[]
  templates: (Place & {subsystem: string})[]
  equipment: Equipment[]
  /** What its figures are reckoned by: counters that tell what is taken from the grid and what coal is raised; what machines are rated at, by role. */
  basis: {incoming: string[]; output: string[]; rated: Record<string, Record<string, number>>}
}

export const mine = shallowRef<Mine | null>(null)
export const points = shallowRef<PointFacts[]>([])

export const zone = computed(() => mine.value?.time_zone ?? 'Asia/Shanghai')
export const byPath = computed(() => new Map(points.value.map(point => [point.point, point])))
export const byEquipment = computed(() => {
  const found = new Map<string, PointFacts[]>()
  for (const point of points.value) {
    const of = found.get(point.equipment.id)
    if (of) of.push(point)
    else found.set(point.equipment.id, [point])
  }
  return found
})

export const machines = computed(() => new Map(mine.value?.equipment.map(each => [each.id, each]) ?? []))
export const areas = computed(() => new Map(mine.value?.areas.map(each => [each.id, each]) ?? []))
export const templates = computed(() => new Map(mine.value?.templates.map(each => [each.id, each]) ?? []))
/** Area → what stands in it, as the mine lists it. */
export const byArea = computed(() => {
  const found = new Map<string, Equipment[]>()
  for (const each of mine.value?.equipment ?? []) {
    const of = found.get(each.area ?? '')
    if (of) of.push(each)
    else found.set(each.area ?? '', [each])
  }
  return found
})

/** The first point of an equipment with a role. */
export function ofRole(equipment: string, role: string): PointFacts | undefined {
  return byEquipment.value.get(equipment)?.find(point => point.role === role)
}

/** Raises Refusal. */
export async function load(): Promise<void> {
  const found: PointFacts[] = []
  mine.value = await get<Mine>('mine')
  for (;;) {
    const page = await get<{total: number; points: PointFacts[]}>('points', {limit: PAGE, offset: found.length})
    found.push(...page.points)
    if (found.length >= page.total || !page.points.length) break
  }
  points.value = found
  document.documentElement.dataset.run = mine.value.run_style
}
