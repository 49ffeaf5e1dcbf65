/* The layers of a mine plan, by discipline; order is the order of drawing. */
import type {Key} from '../i18n'

export type Discipline = 'ground' | 'mining' | 'heading' | 'machinery' | 'transport' | 'ventilation' | 'geology' | 'monitoring' | 'network' | 'escape'

export const DISCIPLINES: [Discipline, Key][] = [
  ['mining', 'map_mining'], ['heading', 'map_heading'], ['machinery', 'map_machinery'], ['transport', 'map_transport'],
  ['ventilation', 'map_ventilation'], ['geology', 'map_geology'], ['monitoring', 'map_monitoring'], ['network', 'map_network'],
  ['escape', 'map_escape'], ['ground', 'map_ground'],
]

export interface Style {
  of: Discipline
  /** Drawn from the back to the front. */
  z: number
  stroke?: string
  fill?: string
  /** Width of a line: px, or cm of the mine where `wide`. */
  width?: number
  wide?: boolean
  dash?: number[]
  arrows?: boolean
  /** Pixels a metre from which on it is shown, and from which on its name is. */
  from?: number
  named?: number
}

export const STYLES: Record<string, Style> = {
  base_grid: {of: 'ground', z: 0, stroke: '--line', width: 0.5},
  topo: {of: 'ground', z: 1, stroke: '--line', width: 0.7, from: 0.1},
  boundary: {of: 'ground', z: 2, stroke: '--dim', width: 1.5, dash: [14, 4, 3, 4]},
  surface: {of: 'ground', z: 3, stroke: '--dim', fill: '--raised', width: 1, named: 0.15},
  seam_contour: {of: 'geology', z: 4, stroke: '--line', width: 1, named: 0.25},
  collapse_column: {of: 'geology', z: 5, stroke: '--dim', width: 1, dash: [3, 3], named: 0.3},
  fault: {of: 'geology', z: 6, stroke: '--dim', width: 1.5, dash: [10, 3, 2, 3], named: 0.3},
  pillar: {of: 'geology', z: 7, stroke: '--dim', width: 1, dash: [6, 4]},
  hydro: {of: 'geology', z: 8, stroke: '--pen1', width: 1, named: 0.4},
  goaf: {of: 'mining', z: 9, stroke: '--line', fill: '--eq-off', width: 1, named: 0.12},
  roadway: {of: 'ground', z: 10, stroke: '--eq-off', width: 500, wide: true, named: 0.22},
  shaft: {of: 'ground', z: 11, stroke: '--eq', fill: '--panel', width: 1.5, named: 0.1},
  chamber: {of: 'machinery', z: 12, stroke: '--eq', fill: '--panel', width: 1, named: 0.5},
  bunker: {of: 'transport', z: 13, stroke: '--eq', fill: '--panel', width: 1, named: 0.4},
  face: {of: 'mining', z: 14, stroke: '--eq', fill: '--raised', width: 1.5, named: 0.1},
  support_line: {of: 'mining', z: 15, stroke: '--eq', width: 3, from: 0.2},
  heading: {of: 'heading', z: 16, stroke: '--eq', width: 2, named: 0.12},
  network: {of: 'network', z: 17, stroke: '--pen5', width: 1, dash: [2, 3]},
  power: {of: 'machinery', z: 18, stroke: '--pen2', width: 1},
  vent_edge: {of: 'ventilation', z: 19, stroke: '--pen1', width: 1, arrows: true},
  escape_route: {of: 'escape', z: 20, stroke: '--pen3', width: 2.5, dash: [10, 6], arrows: true},
  belt: {of: 'transport', z: 21, stroke: '--eq', width: 4, named: 0.35},
  vent_node: {of: 'ventilation', z: 22, from: 0.8},
  vent_facility: {of: 'ventilation', z: 23, from: 0.15, named: 0.8},
  refuge: {of: 'escape', z: 24, named: 0.4},
  borehole: {of: 'geology', z: 25, from: 0.2},
  equipment: {of: 'machinery', z: 26, from: 0.15, named: 1.6},
  substation: {of: 'machinery', z: 27, named: 0.6},
  pump: {of: 'machinery', z: 28, named: 0.8},
  fan: {of: 'ventilation', z: 29, named: 0.5},
  camera: {of: 'monitoring', z: 30, from: 0.5},
  person_station: {of: 'monitoring', z: 31, from: 0.5},
  person: {of: 'monitoring', z: 32, from: 0.5},
  sensor: {of: 'monitoring', z: 33, named: 1.2},
  hazard: {of: 'monitoring', z: 34, named: 0.3},
}
export const OTHER: Style = {of: 'machinery', z: 26, from: 0.3, named: 1.6}
export const styleOf = (layer: string): Style => STYLES[layer] ?? OTHER
