import {room} from '../i18n'

export const t = room({
  log: '值班日志', write: '记一条', words: '内容', about: '关于设备', about_none: '不限', write_hint: '记下的不可修改，只能更正', day: '日期', older: '更早', newest: '最新', no_entries: '没有记录',
  correct: '更正', corrects: '更正 #{0}', corrected: '已由 #{0} 更正', now_shift: '当班：{0} {1}（{2}–{3}）', cancel_correct: '不更正',
  handover: '交接班', hand_over: '交班', offer_hint: '交班人签字后，下列未了事项随交班记录保存，等待接班人签字。', say: '交班说明', sign_offer: '签字交班', sign_confirm: '确认签字', confirm_hint: '签字后不可修改，只能在接班前撤回。您将为下列未了事项签字：', of_it_suppressed: '（其中被抑制 {0}）', silent_gateways: '没有应答的网关', which: '（{0}，其挂牌与联动闭锁不明）', open_now: '现在的未了事项', open_then: '交班时的未了事项',
  take: '接班', take_hint: '接班人须看过下列未了事项及交班后的变化，再签字。', remarks: '接班说明', seen: '我已看过全部未了事项和交班后的变化', sign_take: '签字接班', own: '您是交班人，不能自己接班；须由另一人签字。', withdraw: '撤回交班', withdraw_sure: '撤回后，您签过字的这份交班不再等待接班，记为“已撤回”；要交班须重新签字。',
  waits: '待接班', offered: '待接班', taken: '已接班', withdrawn: '已撤回', goes: '交班人', comes: '接班人', at: '时间', past: '交接班记录', none_past: '还没有交接班记录', back: '返回当前', show: '查看',
  alarms: '报警', tickets: '工单', runs: '顺序控制运行', rotations: '轮换', tags: '挂牌', linkages: '联动闭锁', unknown: '结果未知的命令', not_kept: '当时没有记录', doubt: '存疑：可能已动作', nothing_open: '无', more_left: '另有 {0} 项未列出', unanswered: '网关 {0} 没有应答：其挂牌与联动闭锁不明，不等于没有', appeared: '交班后新增', gone: '交班后消除', unchanged: '交班后没有变化',
  hidden: '另有 {0} 项不在您的权限范围内。', whole_only: '签字的人须看到全部未了事项：没有人为未见到的东西签字。请由能看到全矿的人交班或接班。', no_right: '您的角色只能查看', until: '至 {0}', since: '自 {0}', by: '{0}', print: '打印', number: '交班 #{0}', unknown_waits: '等待 {0} 接班…',
  kind_exclusion: '停用报警', kind_maintenance: '检修', kind_approval: '审批', kind_excluded_time: '剔除时段', state_waiting: '待审批', state_approved: '已批准',
  phase_asked: '已请求', phase_warning: '预警', phase_running: '进行中', phase_held: '保持，等待处理', phase_paused: '已暂停', phase_aborting: '中止中',
  suppressed: '被抑制', handed: '已签字交班，等待接班', took: '已接班', kept: '已记录',
}, {
  log: 'Shift log', write: 'Write', words: 'Words', about: 'About', about_none: 'nothing in particular', write_hint: 'What is written is never changed, only corrected', day: 'Day', older: 'Older', newest: 'Newest', no_entries: 'No entries',
  correct: 'Correct', corrects: 'corrects #{0}', corrected: 'corrected by #{0}', now_shift: 'On duty: {0} {1} ({2}–{3})', cancel_correct: 'Do not correct',
  handover: 'Hand-over', hand_over: 'Hand over', offer_hint: 'Once you have signed, what is open below is kept with the hand-over, and waits for the one who comes to sign.', say: 'To the next shift', sign_offer: 'Sign and hand over', sign_confirm: 'Sign', confirm_hint: 'What is signed is never changed, only withdrawn before it is taken. You sign for what is open:', of_it_suppressed: ' ({0} of it suppressed)', silent_gateways: 'Gateways that do not answer', which: ' ({0}: their tags and latched linkages are not known)', open_now: 'Open now', open_then: 'Open at the hand-over',
  take: 'Take over', take_hint: 'The one who comes has seen what is open, and what has changed since, and signs.', remarks: 'Remarks', seen: 'I have seen all that is open and what has changed since', sign_take: 'Sign and take over', own: 'You hand over, and cannot take over from yourself: somebody else has to sign.', withdraw: 'Withdraw', withdraw_sure: 'What you signed no longer waits to be taken, and is kept as withdrawn. To hand over, sign anew.',
  waits: 'waits to be taken', offered: 'waits to be taken', taken: 'taken', withdrawn: 'withdrawn', goes: 'Goes', comes: 'Comes', at: 'Time', past: 'Hand-overs', none_past: 'No hand-over yet', back: 'Back to now', show: 'Show',
  alarms: 'Alarms', tickets: 'Tickets', runs: 'Runs of sequences', rotations: 'Rotations', tags: 'Tags', linkages: 'Latched linkages', unknown: 'Commands of unknown outcome', not_kept: 'not kept at that time', doubt: 'in doubt: it may have tripped', nothing_open: 'none', more_left: '{0} more are not listed', unanswered: 'Gateway {0} does not answer: its tags and latched linkages are not known, which is not none', appeared: 'New since the hand-over', gone: 'Gone since the hand-over', unchanged: 'Nothing has changed since the hand-over',
  hidden: '{0} more are outside of what you may see.', whole_only: 'Who signs has to see all that is open: nobody signs for what they were not shown. Let one who sees the whole mine hand over or take over.', no_right: 'Your role may only look', until: 'until {0}', since: 'since {0}', by: '{0}', print: 'Print', number: 'Hand-over #{0}', unknown_waits: 'Waits for {0} …',
  kind_exclusion: 'alarms out of service', kind_maintenance: 'maintenance', kind_approval: 'approval', kind_excluded_time: 'excluded time', state_waiting: 'waits for approval', state_approved: 'approved',
  phase_asked: 'asked for', phase_warning: 'warning', phase_running: 'running', phase_held: 'HELD, waits for a person', phase_paused: 'paused', phase_aborting: 'on the way back',
  suppressed: 'suppressed', handed: 'Signed; waits to be taken', took: 'Taken over', kept: 'Written',
})
