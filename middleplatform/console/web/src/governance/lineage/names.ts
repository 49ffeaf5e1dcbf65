/* What nodes and edges of a lineage are called. */
import {named, type Words} from '../../i18n'
import {byPath, mine} from '../../mine/catalogue'
import {when} from '../when'
import type {Node} from './layout'
import {t} from './words'

const KINDS = ['rollup', 'point', 'address', 'connection', 'gateway', 'equipment', 'template', 'role', 'dictionary', 'manual', 'figure'] as const
export function kindWords(node: Node): string {
  if (node.kind === 'point' && node.rule) return t('derived')
  return (KINDS as readonly string[]).includes(node.kind) ? t(node.kind as 'point') : node.kind
}

const EDGES = {
  aggregates: 'aggregates', 'computed from': 'computed_from', 'read at': 'read_at', over: 'over', 'run by': 'run_by', 'computed by': 'computed_by',
  of: 'of_machine', 'instance of': 'instance_of', means: 'means', 'coded by': 'coded_by', 'corrected by': 'corrected_by',
} as const
export const edgeWords = (how: string): string => (how in EDGES ? t(EDGES[how as keyof typeof EDGES]) : how)

export function nodeWords(node: Node): string {
  if (node.kind === 'point') {
    const point = byPath.value.get(node.name)
    return point ? `${named(point.equipment.name)} · ${named(point.name)}` : named(node.label) || node.name
  }
  if (node.kind === 'rollup') return `${when(Number(node.start)).slice(5)} – ${when(Number(node.end)).slice(11)}`
  if (node.kind === 'equipment') return named(mine.value?.equipment.find(each => each.id === node.name)?.name) || named(node.label) || node.name
  if (node.kind === 'address') return String(node.address ?? node.name)
  if (node.kind === 'dictionary') {
    const entry = node.entry as Words | null
    return `${String(node.code ?? '')} ${named(entry)}`.trim()
  }
  return named(node.label) || node.name
}

/** Broken into two lines of about so many columns, of which a Chinese character takes two; the rest is cut off. */
export function twoLines(words: string, columns: number): string[] {
  const end = reach(words, columns)
  if (end === words.length) return [words]
  const space = words.slice(0, end + 1).lastIndexOf(' ')
  const broken = space > end / 2 ? space : end
  const rest = words.slice(broken).trim()
  const last = reach(rest, columns)
  return [words.slice(0, broken), last === rest.length ? rest : `${rest.slice(0, last - 1)}…`]
}

function reach(words: string, columns: number): number {
  let used = 0
  for (let k = 0; k < words.length; k += 1) {
    used += words.charCodeAt(k) > 0x2e80 ? 2 : 1
    if (used > columns) return k
  }
  return words.length
}
