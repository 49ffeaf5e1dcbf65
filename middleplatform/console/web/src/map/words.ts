/* Words of the map. */
import {room} from '../i18n'

export const t = room(
  {
    replay: '回放', replay_of: '回放：{0}（矿井时间）', not_now: '这不是当前状态', back_to_live: '回到实时', live: '实时',
    timeline: '时间轴', moment: '时刻', play: '播放', pause: '暂停', speed: '速度', times_n: '{0} 倍', step_back: '后退 {0}', step_on: '前进 {0}', span: '时段',
    span_1h: '1 小时', span_8h: '8 小时', span_24h: '24 小时', span_7d: '7 天', seconds_n: '{0} 秒', minutes_n: '{0} 分钟', hours_n: '{0} 小时', jump: '跳转',
    reading: '正在读取 {0} …', alarms_then: '当时的报警', no_alarms_then: '当时没有报警', more_alarms: '另有 {0} 条未列出', more_groups: '另有 {0} 组未列出',
    unwatched: '当时没有报警进程在判断：未列出不等于没有', alarms_refused: '您的角色不能查看报警', incomplete: '有样本尚未写入，可能不全',
    no_sample: '此前 {0} 天内无样本', no_points: '此设备没有测点', then: '当时',
    no_moment: '“{0}”不是可以回放的时刻，没有任何记录', shown_live: '现在显示的是实时状态。', not_known: '不明',
    future: '该时刻尚未到来，没有任何记录', no_time: '请输入时刻', how: '方向键平移，+ 与 - 缩放，0 全矿',
  },
  {
    replay: 'Replay', replay_of: 'Replay: {0} (mine time)', not_now: 'this is not the present', back_to_live: 'Back to live', live: 'Live',
    timeline: 'Timeline', moment: 'Moment', play: 'Play', pause: 'Pause', speed: 'Speed', times_n: '{0} ×', step_back: 'Back {0}', step_on: 'On {0}', span: 'Range',
    span_1h: '1 hour', span_8h: '8 hours', span_24h: '24 hours', span_7d: '7 days', seconds_n: '{0} s', minutes_n: '{0} min', hours_n: '{0} h', jump: 'Go',
    reading: 'Reading {0} …', alarms_then: 'Alarms of then', no_alarms_then: 'No alarms stood', more_alarms: '{0} more are not listed', more_groups: '{0} more groups are not listed',
    unwatched: 'Nobody judged alarms then: none listed does not mean none', alarms_refused: 'Your role may not see alarms', incomplete: 'Samples are still being written: some may lack',
    no_sample: 'no sample in the {0} days before', no_points: 'This equipment has no points', then: 'then',
    no_moment: '“{0}” is no moment that can be replayed: nothing is known of it.', shown_live: 'This is the present.', not_known: 'Not known',
    future: 'That moment is still to come: nothing is known of it', no_time: 'Give a moment', how: 'Arrow keys pan, + and - zoom, 0 shows the whole mine',
  },
)
