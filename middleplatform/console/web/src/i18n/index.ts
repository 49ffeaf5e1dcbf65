/* Words of the page. Names of things are data and come in both languages (`named`). */
import {ref} from 'vue'
import {en} from './en'
import {zh, type Key} from './zh'

export type {Key}
export type Language = 'zh' | 'en'
export interface Words {
  zh: string
  en: string
}

const kept = localStorage.getItem('language')
export const language = ref<Language>(kept === 'en' ? 'en' : 'zh')

export function speak(next: Language): void {
  language.value = next
  localStorage.setItem('language', next)
  document.documentElement.lang = next
}
document.documentElement.lang = language.value

/** The words of a key that the shell or several rooms have; `{0}`, `{1}`… are filled in. */
export function t(key: Key, ...given: (string | number)[]): string {
  return filled((language.value === 'zh' ? zh : en)[key], given)
}

/** The words of one room, loaded with its page: `zh` says which keys there are, and one that lacks in `en` does not compile. */
export function room<K extends string>(zh: Record<K, string>, en: Record<NoInfer<K>, string>) {
  return (key: K, ...given: (string | number)[]): string => filled((language.value === 'zh' ? zh : en)[key], given)
}

function filled(words: string, given: readonly (string | number)[]): string {
  return words.replace(/\{(\d)\}/g, (_, place: string) => String(given[Number(place)] ?? ''))
}

/** A name in the language, or in the other where it has none. */
export function named(words: Words | null | undefined): string {
  if (!words) return ''
  return (language.value === 'zh' ? words.zh || words.en : words.en || words.zh) || ''
}
