/* What an answer that says nothing of itself means: what failed and what to do, by its HTTP status. */
import type {Words} from '../i18n'

const TRY: Words = {zh: '请稍后重试；若仍如此，请告知管理员', en: 'try again in a moment; if it stays so, tell the administrator'}
const FAILED: Record<number, [Words, Words]> = {
  0: [{zh: '平台没有应答', en: 'the platform does not answer'}, {zh: '请检查网络后重试；若仍如此，请告知管理员', en: 'look at the network and try again; if it stays so, tell the administrator'}],
  400: [{zh: '平台不能理解此请求', en: 'the platform does not understand what was asked'}, {zh: '请检查所填的条件和地址', en: 'look at what was filled in and at the address'}],
  401: [{zh: '会话已结束', en: 'the session has ended'}, {zh: '请重新登录', en: 'sign in again'}],
  403: [{zh: '您的角色没有此权限', en: 'your role may not do this'}, {zh: '如需此权限请联系管理员', en: 'ask the administrator for it if you need it'}],
  404: [{zh: '没有找到所要的内容', en: 'there is no such thing'}, {zh: '它可能已被移除，请返回列表查找', en: 'it may have been removed: look for it in its list'}],
  409: [{zh: '与现有内容冲突，没有执行', en: 'this conflicts with what is there and was not done'}, {zh: '请刷新后再试', en: 'refresh and try again'}],
  413: [{zh: '所发内容过大', en: 'what was sent is too large'}, {zh: '请减小或分批后再发', en: 'make it smaller or send it in parts'}],
  429: [{zh: '请求过于频繁', en: 'too much was asked at once'}, {zh: '请稍候再试', en: 'wait a little and try again'}],
  500: [{zh: '平台内部出错', en: 'the platform failed on this'}, {zh: '请重试；若仍如此，请告知管理员查看日志', en: 'try again; if it stays so, have the administrator look at the log'}],
  502: [{zh: '平台前的代理得不到平台的应答', en: 'the proxy before the platform gets no answer from it'}, TRY],
  503: [{zh: '平台暂时不能服务', en: 'the platform cannot serve this now'}, TRY],
  504: [{zh: '平台没有在时限内应答', en: 'the platform did not answer in time'}, TRY],
}
const OTHER: [Words, Words] = [{zh: '平台没有完成此请求', en: 'the platform did not do this'}, TRY]
const INCOMPLETE: [Words, Words] = [
  {zh: '应答不完整，无法显示', en: 'incomplete answer: it cannot be shown'},
  {zh: '请重试；若仍如此，请告知管理员检查平台与浏览器之间的网络和代理', en: 'try again; if it stays so, have the administrator look at the network and proxies between here and the platform'},
]
/** Where the failure does not tell whether a change was made. */
const UNSURE = new Set([0, 500, 502, 504])
const LOOK: Words = {zh: '更改可能已经生效，请先刷新核对', en: 'the change may have been made: refresh and look first'}

function put([what, act]: [Words, Words], unsure: boolean): Words {
  const then = unsure ? LOOK : act
  return {zh: `${what.zh}。${then.zh}`, en: `${what.en}; ${then.en}`}
}

/** `changing`: whether more was asked than to be told. */
export function failure(status: number, changing: boolean): Words {
  const {zh, en} = put(FAILED[status] ?? OTHER, changing && UNSURE.has(status))
  return status ? {zh: `${zh}（${status}）`, en: `${en} (${status})`} : {zh, en}
}

export const incomplete = (changing: boolean): Words => put(INCOMPLETE, changing)
