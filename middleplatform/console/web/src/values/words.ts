import {room} from '../i18n'

export const t = room({
  quality: '质量', any: '全部', not_good: '不可信的', unit: '单位', none: '无单位', order: '次序', by_equipment: '按设备', worst: '最差在前', counts: '坏 {0} · 陈旧 {1} · 存疑 {2}', more: '继续显示（还有 {0} 个）', equipment: '设备', point: '测点', value: '当前值', age: '数据时间',
}, {
  quality: 'Quality', any: 'all', not_good: 'not to be trusted', unit: 'Unit', none: 'no unit', order: 'Order', by_equipment: 'by equipment', worst: 'worst first', counts: '{0} bad · {1} stale · {2} doubtful', more: 'Show more ({0} left)', equipment: 'Equipment', point: 'Point', value: 'Now', age: 'Time',
})
