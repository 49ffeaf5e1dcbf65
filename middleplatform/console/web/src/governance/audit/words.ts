import {room} from '../../i18n'

export const t = room(
  {
    heading: '审计日志', who: '何人', what: '行为', about: '对象', origin: '来处', when: '时间', from: '从', to: '到', before: '之前', after: '之后', field: '项目', number: '编号', digest: '摘要', previous: '前一条摘要',
    nothing_kept: '未记录内容', exactly: '完整名称', any_who: '用户名或令牌', any_about: '测点、设备、用户 …', export_limit: '最多 10000 条',
    chain: '日志是否完整', whole: '链条完整：{0} 条记录逐条核对，均为所写原样。', broken: '链条已破坏：发现 {0} 处问题。不要相信这些记录。', checked: '核对于 {0}', entry_n: '第 {0} 条',
    anchored: '总线已留证至第 {0} 条。', anchored_none: '本进程启动以来尚未向总线留证。', behind: '之后的 {0} 条将在一分钟内留证。', trouble: '总线暂不接受留证：{0}', verify: '锚是否相符由审计员的凭证核对：sevenones audit verify', own_only: '您的范围只是矿井的一部分，因此只列出您自己的行为。',
    session_: '登录会话', sign_in_fail: '登录失败', session_begin: '登录', session_end: '退出', user_: '用户', user_add: '添加用户', user_role: '更改角色', user_scope: '更改范围', user_password: '设密码', user_unlock: '解锁用户', user_remove: '删除用户', token_: '令牌', token_add: '生成令牌', token_revoke: '撤销令牌', bus_key_: '总线凭证', bus_key_add: '发放总线凭证', bus_key_revoke: '撤销总线凭证', policy_change: '更改权限', site_version: '配置版本', dictionary_load: '装载字典', manual_: '人工录入', manual_value: '录入数值', manual_event: '录入事件', manual_approved: '批准录入', manual_rejected: '驳回录入', manual_withdrawn: '撤回录入',
    ticket_: '工单', ticket_open: '开工单', ticket_approve: '批准工单', ticket_reject: '驳回工单', ticket_withdrawn: '撤回工单', ticket_closed: '结束工单', alarm_: '报警', alarm_acknowledge: '确认报警', alarm_suppress: '抑制报警', alarm_unsuppress: '取消抑制', alarm_handle: '处置报警', alarm_reset: '复位报警', alarm_forget: '移除报警', sql_run: '运行 SQL', export_: '导出', export_order: '申请导出', export_fetch: '取走导出', export_remove: '删除导出', command_: '命令', command_ask: '下达命令', command_end: '命令结果', sequence_: '顺序控制', sequence_start: '启动顺序控制', sequence_end: '顺序控制结束', sequence_abort: '中止顺序控制', sequence_pause: '暂停顺序控制', sequence_resume: '恢复顺序控制', shift_: '值班', shift_write: '记值班日志', shift_take: '交接班', shift_withdraw: '撤回交班', report_make: '生成报表', rotation_run: '设备轮换', kpi_import: '导入指标数据', kpi_remake: '重算指标',
  },
  {
    heading: 'Audit log', who: 'Who', what: 'Act', about: 'About', origin: 'From', when: 'When', from: 'From', to: 'To', before: 'Before', after: 'After', field: 'What', number: 'Number', digest: 'Digest', previous: 'Digest before',
    nothing_kept: 'nothing was kept', exactly: 'the whole name', any_who: 'a user or token', any_about: 'point, machine, user …', export_limit: '10,000 entries at most',
    chain: 'Is the log whole?', whole: 'The chain holds: {0} entries were looked at one by one, and are as they were written.', broken: 'The chain is broken: {0} findings. Do not trust these entries.', checked: 'looked at {0}', entry_n: 'Entry {0}',
    anchored: 'The bus was told up to entry {0}.', anchored_none: 'The bus was told nothing since this process started.', behind: 'It is told of the {0} after it within a minute.', trouble: 'The bus does not take it: {0}', verify: 'Whether what the bus was told agrees is seen with the auditor’s credential: sevenones audit verify', own_only: 'You see a part of the mine only, and so your own acts only.',
    session_: 'sessions', sign_in_fail: 'failed sign-in', session_begin: 'sign-in', session_end: 'sign-out', user_: 'users', user_add: 'user added', user_role: 'role changed', user_scope: 'scope changed', user_password: 'password set', user_unlock: 'user unlocked', user_remove: 'user removed', token_: 'tokens', token_add: 'token made', token_revoke: 'token revoked', bus_key_: 'bus credentials', bus_key_add: 'bus credential given', bus_key_revoke: 'bus credential revoked', policy_change: 'policy changed', site_version: 'site version', dictionary_load: 'dictionary loaded', manual_: 'manual entries', manual_value: 'value entered', manual_event: 'event entered', manual_approved: 'entry approved', manual_rejected: 'entry rejected', manual_withdrawn: 'entry withdrawn',
    ticket_: 'tickets', ticket_open: 'ticket opened', ticket_approve: 'ticket approved', ticket_reject: 'ticket rejected', ticket_withdrawn: 'ticket withdrawn', ticket_closed: 'ticket closed', alarm_: 'alarms', alarm_acknowledge: 'alarm acknowledged', alarm_suppress: 'alarm suppressed', alarm_unsuppress: 'alarm no longer suppressed', alarm_handle: 'alarm handled', alarm_reset: 'alarm reset', alarm_forget: 'alarm removed', sql_run: 'SQL run', export_: 'exports', export_order: 'export ordered', export_fetch: 'export fetched', export_remove: 'export removed', command_: 'commands', command_ask: 'command given', command_end: 'command ended', sequence_: 'sequences', sequence_start: 'sequence started', sequence_end: 'sequence ended', sequence_abort: 'sequence aborted', sequence_pause: 'sequence paused', sequence_resume: 'sequence resumed', shift_: 'shifts', shift_write: 'shift log written', shift_take: 'shift taken over', shift_withdraw: 'hand-over withdrawn', report_make: 'report made', rotation_run: 'rotation run', kpi_import: 'figures imported', kpi_remake: 'figures remade',
  },
)

export const ACTS = [
  'session.', 'session.begin', 'session.end', 'sign_in.fail', 'user.', 'user.add', 'user.role', 'user.scope', 'user.password', 'user.unlock', 'user.remove', 'token.', 'token.add', 'token.revoke', 'bus_key.', 'policy.change', 'site.version', 'dictionary.load',
  'manual.', 'manual.value', 'manual.event', 'manual.approved', 'manual.rejected', 'manual.withdrawn', 'ticket.', 'alarm.', 'alarm.acknowledge', 'alarm.suppress', 'alarm.handle', 'command.', 'sequence.', 'shift.', 'export.', 'sql.run', 'report.make',
] as const
const KNOWN = new Set<string>([
  ...ACTS, 'bus_key.add', 'bus_key.revoke', 'ticket.open', 'ticket.approve', 'ticket.reject', 'ticket.withdrawn', 'ticket.closed', 'alarm.unsuppress', 'alarm.reset', 'alarm.forget', 'export.order', 'export.fetch', 'export.remove',
  'command.ask', 'command.end', 'sequence.start', 'sequence.end', 'sequence.abort', 'sequence.pause', 'sequence.resume', 'shift.write', 'shift.take', 'shift.withdraw', 'rotation.run', 'kpi.import', 'kpi.remake',
])
/** An act in words; one that has none stands as it is. */
export const actWords = (what: string): string => (KNOWN.has(what) ? t(what.replace('.', '_') as 'user_add') : what)
