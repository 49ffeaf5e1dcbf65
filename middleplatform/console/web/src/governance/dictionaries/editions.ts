/* How every page names a dictionary and its versions: by the number that the platform gives, beside what its source says. */
import {language, named, type Words} from '../../i18n'
import {oneLanguage} from '../../workshop/names'

const NAMES: Record<string, Words> = {
  sensor_types: {zh: '传感器类型', en: 'sensor types'},
  classification: {zh: '数据分类', en: 'classification of data'},
  owners: {zh: '数据责任人', en: 'owners of data'},
  synonyms: {zh: '同义词', en: 'synonyms'},
  db14_671_2: {zh: 'DB14/T 671.2 编码', en: 'codes of DB14/T 671.2'},
}
/** What the program's own editions say of their source in English, in Chinese. */
const SOURCES: Record<string, string> = {
  sensor_types: 'MT/T 1201.1-2023 附录 B.2，按两家独立接收方的读法',
  classification: '《智能化矿山数据融合共享规范》（2023-06-26）只给出层级，分类表未公开',
  owners: '由各矿自定',
  synonyms: '矿山常用词，另加各模板中的词',
  db14_671_2: 'DB14/T 671.2；请装载本矿所持标准文本中的表',
}
/** Where an edition comes from: what a person wrote as it is written, of the program's own in the reader's language. */
export const sourceWords = (of: {kind: string; source: string; at: number | null}): string =>
  (language.value === 'zh' && of.at === null && SOURCES[of.kind]) || oneLanguage(of.source)

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
