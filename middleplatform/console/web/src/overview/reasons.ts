/* Why the platform is degraded: it says so in English; what it says often is put into Chinese here, the rest stays as it is. */

const ZH: readonly [RegExp, string][] = [
  [/^bus: not connected/, '未连接，实时值静止'],
  [/^live: nothing came for (\d+) s/, '{1} 秒没有收到数据'],
  [/^live: nothing came yet/, '还没有收到数据'],
  [/^gateway (\S+): not heard for (\d+) s/, '{1} 已 {2} 秒无消息，其值为最后已知值'],
  [/^gateway (\S+): the clocks of (\d+)/, '{1} 的 {2} 台设备时钟不准，其样本存疑'],
  [/^watch: no sign of life/, '没有运行，报警未判断'],
  [/^watch: it hears nothing/, '收不到矿井数据'],
  [/^watch: it is (\d+) s behind/, '落后 {1} 秒'],
  [/^watch: alarms cannot be kept/, '报警无法保存：关系库不接收'],
  [/^watch: it goes on with older rules/, '沿用旧规则：站点的规则有错误'],
  [/^certificate (.+): it has expired/, '{1} 已过期'],
  [/^certificate (.+): it ends in (\d+) days/, '{1} 还有 {2} 天到期'],
  [/^store: the store is not running/, '没有运行'],
  [/^store: no answer within (\d+) s/, '{1} 秒内没有应答'],
]

/** The words of a reason after its part of the platform. */
export function reasonIn(language: string, words: string): string {
  const known = language === 'zh' ? ZH.map(([form, zh]) => ({found: form.exec(words), zh})).find(each => each.found) : undefined
  if (known) return known.zh.replace(/\{(\d)\}/g, (_, place: string) => known.found?.[Number(place)] ?? '')
  return words.replace(/^[a-z]+: /, '')
}
