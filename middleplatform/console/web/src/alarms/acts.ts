/* What an operator does about alarms, and what came of it in words. */
import {ref} from 'vue'
import {t} from './words'
import {post, wordsOf} from '../api/client'
import type {Alarm, Group} from '../api/types'
import {t as shared} from '../i18n'

const MOST = 500
export const said = ref('')
export const wrong = ref('')

async function told(work: () => Promise<string>): Promise<boolean> {
  said.value = wrong.value = ''
  try {
    said.value = await work()
    return true
  } catch (error) {
    wrong.value = wordsOf(error)
    return false
  }
}

/** Only what was seen: what was raised again since the list was shown stays unacknowledged. */
export function acknowledge(numbers: readonly number[], sinces: readonly number[], beyond = 0): Promise<boolean> {
  return told(async () => {
    let done = 0
    for (let from = 0; from < numbers.length; from += MOST) {
      const part = {alarms: numbers.slice(from, from + MOST), seen: sinces.slice(from, from + MOST)}
      done += (await post<{acknowledged: number[]}>('alarms/acknowledge', part)).acknowledged.length
    }
    const left = numbers.length - done
    return (left ? t('took_left', done, left) : t('took', done)) + (beyond ? ` · ${t('also', beyond)}` : '')
  })
}

export function acknowledgeGroups(groups: readonly Group[]): Promise<boolean> {
  const beyond = groups.reduce((sum, group) => sum + group.count - group.alarms.length, 0)
  return acknowledge(groups.flatMap(group => group.alarms), groups.flatMap(group => group.sinces), beyond)
}

/** Acts on one alarm that need no words: reset, unshelve, in-service, unsuppress. */
export function act(alarm: Alarm, name: string): Promise<boolean> {
  return told(async () => {
    await post(`alarms/${alarm.id}/${name}`, name === 'reset' ? {} : null)
    return shared('done')
  })
}
