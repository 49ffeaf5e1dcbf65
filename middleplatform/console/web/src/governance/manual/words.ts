import {room} from '../../i18n'

export const t = room(
  {
    heading: '人工录入与更正', enter: '录入或更正数值', all_states: '全部', waiting: '待审批', approved: '已批准', rejected: '已驳回', withdrawn: '已撤回', state: '状态',
    subject: '测点或设备', value_kind: '数值', event_kind: '事件', what: '内容', reason: '理由', who: '录入', decided: '审批', when: '时间', of_time: '数据时间', number: '编号',
    approve: '批准', reject: '驳回', withdraw: '撤回', own: '您录入的须由他人审批', wait: '批准后进入数据库，原值保留', brought: '已写入数据', not_brought: '等待写入数据',
    samples: '样本', was: '原值', is: '新值', none_there: '原无数据', no_value: '无值', quality: '质量 {0}', versions: '此测点的各版本', versions_of: '{0} 的各版本', over: '时段', last_1d: '最近 1 天', last_7d: '最近 7 天', last_30d: '最近 30 天', no_versions: '此时段内没有人工录入或更正',
    time: '数据时间', value: '数值', text: '文本', add_row: '再加一行', remove_row: '去掉', send: '提交审批', sent: '已提交，待他人审批', bad_no_value: '无真值（记为坏）', decision: '审批意见', original: '设备原值', limits: '范围 {0} 至 {1} {2}', any: '不限', pick_first: '请先选择测点', wrong_time: '请填写时间', wrong_value: '第 {0} 行没有数值', now_is: '当前值',
    decided_by: '{0} 于 {1}', was_approved: '批准', was_rejected: '驳回', was_withdrawn: '撤回', event_body: '{0} 至 {1}', still: '仍在继续', correct_here: '更正此值', from: '开始', most: '列出最近 {0} 条',
    enter_event: '录入或更正事件', machine: '设备', find_machine: '按名称或编号查找设备', pick_machine: '请选择设备', which_event: '录入或更正哪一条', new_event: '新事件', events_capped: '仅列出该设备近 7 天的前 2000 个事件', events_unlisted: '无法列出已有的事件：{0}', kind: '事件种类', kind_hint: '小写字母、数字与 _ . -', wrong_kind: '事件种类只能用小写字母、数字与 _ . -，至多 60 字', until: '结束', no_end: '空：仍在继续', ends_first: '结束不得早于开始', said_name: '属性', said_value: '内容', add_said: '加一项属性', said_lost: '属性 {0} 不是单个值，更正后不再保留',
  },
  {
    heading: 'Manual entries and corrections', enter: 'Enter or correct values', all_states: 'all', waiting: 'waiting', approved: 'approved', rejected: 'rejected', withdrawn: 'withdrawn', state: 'State',
    subject: 'Point or machine', value_kind: 'values', event_kind: 'event', what: 'What', reason: 'Reason', who: 'Entered', decided: 'Decided', when: 'When', of_time: 'Of the time', number: 'Number',
    approve: 'Approve', reject: 'Reject', withdraw: 'Withdraw', own: 'somebody else has to approve your own', wait: 'Once approved it goes to the store; what was there is kept', brought: 'is in the data', not_brought: 'waits to be brought to the data',
    samples: 'Samples', was: 'Was', is: 'Is', none_there: 'nothing was there', no_value: 'no value', quality: 'quality {0}', versions: 'Versions of this point', versions_of: 'Versions of {0}', over: 'Range', last_1d: 'last day', last_7d: 'last 7 days', last_30d: 'last 30 days', no_versions: 'Nobody entered or corrected anything in this time',
    time: 'Time', value: 'Value', text: 'Text', add_row: 'Another row', remove_row: 'Take away', send: 'Ask for approval', sent: 'Sent: it waits for somebody else', bad_no_value: 'no true value (bad)', decision: 'Why so decided', original: 'of the device', limits: 'range {0} to {1} {2}', any: 'unbounded', pick_first: 'Choose a point first', wrong_time: 'Give a time', wrong_value: 'Row {0} has no value', now_is: 'Now',
    decided_by: '{0}, {1}', was_approved: 'Approved', was_rejected: 'Rejected', was_withdrawn: 'Withdrawn', event_body: '{0} to {1}', still: 'goes on', correct_here: 'Correct this', from: 'From', most: 'the newest {0} are listed',
    enter_event: 'Enter or correct an event', machine: 'Machine', find_machine: 'Find a machine by name or id', pick_machine: 'Choose a machine', which_event: 'Which one', new_event: 'a new event', events_capped: 'Only the first 2,000 events of the machine in the last 7 days are listed', events_unlisted: 'What there is already cannot be listed: {0}', kind: 'Kind', kind_hint: 'small letters, digits and _ . -', wrong_kind: 'A kind has small letters, digits and _ . - alone, 60 at most', until: 'Until', no_end: 'empty: it goes on', ends_first: 'It does not end before it begins', said_name: 'What', said_value: 'Value', add_said: 'Say more of it', said_lost: '{0}: of more than one value, and not kept by a correction',
  },
)
