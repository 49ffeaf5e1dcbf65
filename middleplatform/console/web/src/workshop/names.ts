/* Points by path in words, as rules speak of them. */
import {language, named} from '../i18n'
import {byPath} from '../mine/catalogue'
import {plain} from '../ui/number'
import {unitWords} from '../ui/unit'

export function pointName(path: string): string {
  const point = byPath.value.get(path)
  return point ? `${named(point.equipment.name)} · ${named(point.name)}` : path.split('/').slice(1).join('/')
}

/** A value of a point: the state's words where it has any. */
export function valueOf(path: string, value: number | null): string {
  if (value === null) return '—'
  const point = byPath.value.get(path)
  const state = point?.states[String(value)]
  return state ? named(state) : `${plain(value)} ${unitWords(point?.unit ?? '')}`.trim()
}

/** A comparison without the path that it begins with; its number in words where the point has states. */
export function compared(path: string, text: string): string {
  const bare = text.replace(/^\S+\s*/, '')
  const states = byPath.value.get(path)?.states ?? {}
  return bare.replace(/(?<=^= ?)-?\d+(?![\d.e])/, number => named(states[String(Number(number))]) || number)
}

const CHINESE = /[\u3000-\u9fff]/
/** What is only quoted is in the language that it is in. */
const QUOTED = /'[^']*'|"[^"]*"/g
/** Chinese, a stop in the middle or none, and then the same in English: several words, or it is a part of the name. */
const BOTH = /^(.*[\u3000-\u9fff\uff00-\uffef]\S*)\s+([A-Za-z][^\u3000-\u9fff\uff00-\uffef]*[A-Za-z]{2}\s[^\u3000-\u9fff\uff00-\uffef]*)$/

/** A text that its writer wrote in both languages at once, in the one that is spoken: as a whole, or part by part. */
export function oneLanguage(text: string): string {
  const [zh = '', en = '', ...more] = text.split(' · ')
  if (en && !more.length && CHINESE.test(zh) && !CHINESE.test(en.replace(QUOTED, ''))) return language.value === 'zh' ? zh : en
  return text.split('；').map(part => {
    const halves = part.includes(' · ') ? part.split(' · ', 2) : BOTH.exec(part)?.slice(1)
    return halves?.length === 2 && CHINESE.test(halves[0]!) ? halves[language.value === 'zh' ? 0 : 1]!.trim() : part
  }).join(language.value === 'zh' ? '；' : '; ')
}
