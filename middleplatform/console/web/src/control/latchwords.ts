import {room} from '../i18n'

export const t = room(
  {
    latches: '联动闭锁', latched: '已闭锁', acting: '动作中', latched_those: '已闭锁：须有人复位', acting_those: '动作中：条件消失后自行结束', trip_gone: '已消失', trip_stays: '仍成立', doubt: '存疑：闭锁记录曾无法读取，可能已动作', since: '自 {0}', at: '网关 {0}',
    holds_still: '动作条件仍成立', holds_no_more: '动作条件已消失', holds_unknown: '动作条件现在是否成立不明', ends_itself: '条件消失后自行结束，无需复位',
    commanded: '令', not_done: '尚未回读核对', then_commands: '复位时将令', power_by_hand: '复位只解除闭锁，不送电；送电另行操作',
    who_may: '可复位：{0}', two: '须两人签名', nobody: '现行策略中无角色可复位', may_now: '网关：现在可以复位', may_not: '不能复位',
    rule_gone: '现行配置中已无此规则，只剩闭锁', beyond: '此联动涉及您的范围之外的设备，须由范围覆盖其全部设备的用户复位',
    silent: '网关 {0} 没有应答：其联动是否闭锁现在不明，不等于没有', none: '没有闭锁的联动', unknown: '不明',
    restore: '复位 …', restore_do: '复位联动', trip_by: '动作条件', restore_when: '复位条件', lost: '失联', as_of: '{0} 的值',
    hint: '复位后闭锁解除，被断电的设备可以再送电。由网关按签名、角色、范围与现在的复位条件核对，与命令行相同。',
    reason: '为什么可以复位，现场由谁确认', seen: '已在现场核实：动作原因已消除，复位与送电不危及任何人',
    now_latched: '已向网关 {0} 核对：现在仍闭锁', now_free: '已向网关 {0} 核对：现在没有闭锁', now_unknown: '正在向网关 {0} 核对：是否闭锁现在不明',
    gone: '此联动现在没有闭锁',
  },
  {
    latches: 'Latched linkages', latched: 'LATCHED', acting: 'acting', latched_those: 'Latched: stay until somebody restores them', acting_those: 'Acting: end by themselves', trip_gone: 'gone', trip_stays: 'still there', doubt: 'in doubt: the record of latches could not be read, it may have tripped', since: 'since {0}', at: 'gateway {0}',
    holds_still: 'what it trips by still holds', holds_no_more: 'what tripped it is gone', holds_unknown: 'whether what it trips by holds is not known now', ends_itself: 'ends by itself when that is over, nobody restores it',
    commanded: 'it commanded', not_done: 'not read back yet', then_commands: 'restoring commands', power_by_hand: 'Restoring lifts the lock alone; power is put back by hand',
    who_may: 'may restore: {0}', two: 'two persons sign', nobody: 'no role may restore it by the policy', may_now: 'The gateway says: it may be restored now', may_not: 'Not to be restored',
    rule_gone: 'the site has no such rule any more, its lock is left', beyond: 'It holds machines beyond what you may see: somebody who sees all of them restores it',
    silent: 'The gateway {0} does not answer: whether its linkages are latched is not known now, which is not none', none: 'No linkage is latched', unknown: 'not known',
    restore: 'Restore …', restore_do: 'Restore the linkage', trip_by: 'What tripped it', restore_when: 'To be restored', lost: 'lost', as_of: 'as of {0}',
    hint: 'It lifts the lock: what was cut off may be switched on again. The gateway checks signature, role, scope and the conditions as they are now, as it does for the command line.',
    reason: 'why it may be restored, and who confirmed it there', seen: 'Looked at there: what tripped it is gone, and restoring it endangers nobody',
    now_latched: 'Asked of the gateway {0}: it is latched now', now_free: 'Asked of the gateway {0}: it is not latched now', now_unknown: 'Asking the gateway {0}: whether it is latched is not known now',
    gone: 'This linkage is not latched now',
  },
)
