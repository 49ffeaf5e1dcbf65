/* The journal as a file for spreadsheets. */
import type {Entry, Journal} from './api'
import {whereOf} from './naming'
import {t} from './words'
import {get, type Asked} from '../api/client'
import {language, named, t as shared, type Key} from '../i18n'

const PAGE = 1000
export const MOST_ROWS = 20_000

/** A cell: quoted, and never taken for a formula by the program that opens it. */
export function cell(value: string | number | null): string {
  const text = String(value ?? '')
  const plain = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text
  return /[",\n\r]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain
}

function lineOf(entry: Entry): (string | number | null)[] {
  return [
    entry.number, new Date(entry.ts / 1000).toISOString(), entry.priority, t(`act_${entry.what}` as 'act_raise'), named(entry.rule_name), whereOf(entry),
    named(entry.area?.name), entry.subject, shared(`kind_${entry.kind}` as Key), entry.value, entry.unit, entry.who, entry.note, entry.late ? t('late') : '',
    entry.handlings.map(each => each.cause).join('; '), entry.handlings.map(each => each.measure).join('; '), entry.handlings.map(each => each.result).join('; '),
  ]
}

/** All that fits, newest first, as far as `MOST_ROWS`; `told` hears how many there are so far. Raises Refusal. */
export async function journalFile(query: Asked, told: (rows: number) => void, signal: AbortSignal): Promise<{file: Blob; cut: boolean}> {
  const head = [
    t('number'), `${shared('time')} UTC`, shared('priority'), t('act'), shared('what'), shared('where'), shared('area'), shared('point'), t('kind'), shared('value'), shared('unit'), t('who'),
    shared('note'), t('late'), t('why'), t('measure'), t('result'),
  ]
  const lines = [head]
  let before: number | null = null
  do {
    const page: Journal = await get<Journal>('alarms/journal', {...query, before, limit: PAGE}, signal)
    for (const entry of page.entries) lines.push(lineOf(entry) as string[])
    before = page.next
    told(lines.length - 1)
  } while (before !== null && lines.length <= MOST_ROWS)
  // The mark at the beginning tells spreadsheets that it is UTF-8.
  const text = `\ufeff${lines.map(line => line.map(cell).join(',')).join('\r\n')}\r\n`
  return {file: new Blob([text], {type: 'text/csv;charset=utf-8'}), cut: before !== null}
}

/** Gives a file to the browser under a name. */
export function give(file: Blob, name: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = `${name}.${language.value}.csv`
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
