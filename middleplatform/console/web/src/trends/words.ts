import {room} from '../i18n'

export const t = room({
  range: '时段', earlier: '前移', later: '后移', zoom_in: '放大', zoom_out: '缩小', back: '后退', from: '从', to: '到', apply: '应用', unread: '“{0}”不是时刻：请写成 2026-03-01 08:00，须是历法上有的日期', backwards: '起点须在终点之前', before_all: '这段时间早于 1970 年，没有任何记录：请选更晚的时间', follow: '实时跟随', follows: '实时', stands: '固定时段',
  compare: '对比', compare_none: '不对比', compare_day: '昨日同时', compare_week: '上周同时', compare_start: '另一起点', compared: '虚线：早 {0}', days: '{0} 天', hours: '{0} 小时', minutes: '{0} 分钟',
  limits: '限值', bands: '报警与状态', alarms: '报警', states: '运行与方式', no_alarms: '所选设备此时段没有报警', no_states: '所选设备没有运行或方式状态', more_alarms: '报警太多，只显示最新的', mixed: '变化', unknown: '未知', lasts: '未恢复', since_before: '此前已报警',
  at_cursor: '光标处', point: '测点', minimum: '最小', mean: '平均', maximum: '最大', other: '对比值', now: '当前', remove: '移除', no_value: '无有效数据', latest: '最新', in_range: '时段最小 / 最大',
  add: '添加测点', hint: '名称、编号或角色；↑↓ 选择，回车添加', found_none: '没有匹配的测点', most: '最多 {0} 个测点', choose: '请添加测点：输入名称、编号或角色', text_point: '文字测点没有曲线',
  bad: '实块：数据坏或不全', none: '空框：无数据', incomplete: '存储尚未写完：数据可能不全，稍后自动重查', truncated: '结果被截断：只显示一部分', gone: '没有这个测点：{0}', asking: '查询中 …',
  export: '导出', csv: 'CSV', xlsx: 'XLSX', parquet: 'Parquet', as_shown: '所示分桶', raw: '原始样本', export_note: '原始样本多时由平台生成文件，完成后在此下载', ordered: '已提交，正在生成', progress: '{0}%，{1} 条', ready: '下载文件', failed: '失败：{0}', no_export: '您的角色不能导出大文件，只能直接导出至多 10 万条',
  name: '曲线组名称', name_hint: '名称随地址保存', print: '打印', width: '每点 {0} s', zoom_hint: '拖动放大；← → 平移，+ − 缩放，Esc 后退',
}, {
  range: 'Range', earlier: 'Earlier', later: 'Later', zoom_in: 'Zoom in', zoom_out: 'Zoom out', back: 'Back', from: 'From', to: 'To', apply: 'Apply', unread: '“{0}” is no time: write 2026-03-01 08:00, a day that the calendar has', backwards: 'the start must be before the end', before_all: 'This time is before 1970, of which nothing is kept: choose a later one', follow: 'Follow now', follows: 'live', stands: 'fixed range',
  compare: 'Compare', compare_none: 'with nothing', compare_day: 'the day before', compare_week: 'a week before', compare_start: 'another start', compared: 'dashed: {0} earlier', days: '{0} d', hours: '{0} h', minutes: '{0} min',
  limits: 'Limits', bands: 'Alarms and states', alarms: 'Alarms', states: 'Running and mode', no_alarms: 'no alarm of these machines in this time', no_states: 'these machines tell no running or mode state', more_alarms: 'too many alarms: the newest are shown', mixed: 'changing', unknown: 'unknown', lasts: 'lasts', since_before: 'raised before',
  at_cursor: 'At the cursor', point: 'Point', minimum: 'Min', mean: 'Mean', maximum: 'Max', other: 'Compared', now: 'Now', remove: 'Remove', no_value: 'no valid data', latest: 'latest', in_range: 'Min / max in range',
  add: 'Add a point', hint: 'name, id or role; ↑↓ choose, Enter adds', found_none: 'no point matches', most: 'At most {0} points', choose: 'Add a point: type its name, id or role', text_point: 'a text has no curve',
  bad: 'filled: bad or partly known', none: 'hollow: nothing came', incomplete: 'the store has not written all yet: something may lack, asked again by itself', truncated: 'cut off: only a part is shown', gone: 'there is no such point: {0}', asking: 'Asking …',
  export: 'Export', csv: 'CSV', xlsx: 'XLSX', parquet: 'Parquet', as_shown: 'Buckets as shown', raw: 'Raw samples', export_note: 'many raw samples are written to a file by the platform and fetched here', ordered: 'Ordered, being written', progress: '{0} %, {1} samples', ready: 'Fetch the file', failed: 'Failed: {0}', no_export: 'Your role may not order large files, only up to 100,000 samples at once',
  name: 'Name of this set', name_hint: 'kept in the address', print: 'Print', width: '{0} s a bucket', zoom_hint: 'drag to zoom; ← → pan, + − zoom, Esc goes back',
})
