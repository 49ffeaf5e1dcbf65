/* How every page names a dictionary and its versions: by the number that the platform gives, beside what its source says. */
import {language, named, type Words} from '../../i18n'

const NAMES: Record<string, Words> = {
  sensor_types: {zh: '传感器类型', en: 'sensor types'},
  classification: {zh: '数据分类', en: 'classification of data'},
  owners: {zh: '数据责任人', en: 'owners of data'},
  synonyms: {zh: '同义词', en: 'synonyms'},
  db14_671_2: {zh: 'DB14/T 671.2 编码', en: 'codes of DB14/T 671.2'},
}
export const dictionaryWords = (kind: string): string => named(NAMES[kind]) || kind

export interface Version {
  version: number
  edition: string
  effective_from: string
}
/** The program brings some kinds without a row: they are for the mine to load. */
export const isLoaded = (of: Version): boolean => of.edition !== 'empty'

export function versionWords(of: Version): string {
  const zh = language.value === 'zh'
  if (!isLoaded(of)) return zh ? '尚未装载' : 'not loaded yet'
  return zh ? `第 ${of.version} 版（${of.edition}），自 ${of.effective_from} 起` : `version ${of.version} (${of.edition}), since ${of.effective_from}`
}
