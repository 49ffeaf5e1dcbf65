/* The OPC quality byte in words, and how a value of it is shown. */
import {language, type Words} from '../i18n'

const WORDS: Record<number, Words> = {
  0: {zh: '坏', en: 'bad'}, 4: {zh: '配置错误', en: 'configuration'}, 8: {zh: '未连接', en: 'not connected'},
  12: {zh: '设备故障', en: 'device failure'}, 16: {zh: '传感器故障', en: 'sensor failure'}, 20: {zh: '数据陈旧', en: 'stale'},
  24: {zh: '通信故障', en: 'communication'}, 28: {zh: '停用', en: 'out of service'}, 32: {zh: '等待数据', en: 'waiting'},
  64: {zh: '不确定', en: 'uncertain'}, 68: {zh: '最后可用值', en: 'last usable'}, 80: {zh: '传感器不准', en: 'sensor inaccurate'},
  84: {zh: '超出量程', en: 'out of range'}, 88: {zh: '来源不足', en: 'too few sources'},
}
const UNCERTAIN: Words = {zh: '不确定', en: 'uncertain'}
const BAD: Words = {zh: '坏', en: 'bad'}

export type Trust = 'good' | 'doubtful' | 'bad' | 'old'

export function trustOf(quality: number): Trust {
  if (quality === 20) return 'old'
  return quality < 64 ? 'bad' : quality < 192 ? 'doubtful' : 'good'
}

/** Why a value is not good; nothing of a good one. */
export function qualityWords(quality: number): string {
  if (quality >= 192) return ''
  const words = WORDS[quality & 0xfc] ?? (quality >= 64 ? UNCERTAIN : BAD)
  return words[language.value]
}
