import {room} from '../i18n'

export const t = room(
  {
    chambers: '无人值守硐室', none: '本矿没有登记无人值守硐室，或您看不到其全部测点（chambers.yaml）', attended: '有人', empty: '无人', presence_unknown: '有无人不明', camera: '摄像机 {0}', patrol: '巡检',
    every: '每 {0} 一次，{1}', last: '上次签到', due: '下次应到', overdue: '已超期 {0}', in_time: '未超期', no_patrol: '没有巡检计划，或存储不可用', none_within: '最近 {0} 内没有签到', since_plan: '巡检计划自 {0} 起', overdue_now: '已超期至少 {0}', incomplete: '存储没有应答：巡检情况现在不明', source: '来源 {0}',
    days: '{0} 天', hours: '{0} 小时', minutes: '{0} 分钟', seconds: '{0} 秒', no_values: '没有可显示的测点',
  },
  {
    chambers: 'Unattended chambers', none: 'This mine lists no unattended chambers, or you do not see all of their points (chambers.yaml)', attended: 'somebody is there', empty: 'nobody is there', presence_unknown: 'not known whether somebody is there', camera: 'camera {0}', patrol: 'Patrol',
    every: 'every {0}, {1}', last: 'Last check-in', due: 'Next due', overdue: 'OVERDUE by {0}', in_time: 'in time', no_patrol: 'no patrol plan, or the store is away', none_within: 'Nobody has checked in within {0}', since_plan: 'the plan is in force since {0}', overdue_now: 'OVERDUE by at least {0}', incomplete: 'The store does not answer: how patrols stand is not known now', source: 'source: {0}',
    days: '{0} d', hours: '{0} h', minutes: '{0} min', seconds: '{0} s', no_values: 'no points to show',
  },
)
