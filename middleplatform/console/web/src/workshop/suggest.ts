/* Which point of a template a device's own name means, by how alike the words are. */
import type {Template, TemplatePoint} from './api'

const bare = (word: string): string => word.normalize('NFKC').toLowerCase().replace(/\(.*?\)|\[.*?\]|【.*?】/g, '').replace(/[\s_\-.:：。、,]+/g, '')

function pairs(word: string): Set<string> {
  const found = new Set<string>()
  for (let at = 0; at < word.length - 1; at++) found.add(word.slice(at, at + 2))
  return found
}

/** 0 … 1: the share of letter pairs that two words have in common. */
function alike(one: string, other: string): number {
  if (one === other) return 1
  const [a, b] = [pairs(one), pairs(other)]
  if (!a.size || !b.size) return 0
  let both = 0
  for (const pair of a) if (b.has(pair)) both++
  return (2 * both) / (a.size + b.size)
}

const LIKELY = 0.5

/** The likeliest point; undefined where none is likely. */
export function pointFor(said: string, template: Template): TemplatePoint | undefined {
  const word = bare(said)
  let best: TemplatePoint | undefined
  let most = LIKELY
  for (const point of template.points) {
    const score = Math.max(...[point.key, point.name.zh, point.name.en].map(name => alike(word, bare(name))))
    if (score > most || (score === most && !best)) [best, most] = [point, score]
  }
  return best
}

/** The template that has most of these names, and how many. */
export function templateFor(names: readonly string[], templates: readonly Template[]): {template: Template; count: number} | undefined {
  const words = names.map(bare)
  let best: {template: Template; count: number} | undefined
  for (const template of templates) {
    const known = new Set(template.points.flatMap(point => [point.key, point.name.zh, point.name.en]).map(bare))
    const count = words.filter(word => known.has(word)).length
    if (count > (best?.count ?? 0)) best = {template, count}
  }
  return best
}
