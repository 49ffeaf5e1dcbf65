/* Words that several pages about the data have in common. */
import {room} from '../i18n'

export const g = room(
  {
    page: '第 {0}–{1} 条，共 {2} 条', past: '只有 {0} 条，此处已超出最后一页', none_found: '没有符合条件的内容', earlier: '上一页', later: '下一页', older: '更早', newest: '最新',
    details: '详情', nothing_chosen: '请在列表中选择一项', export_xlsx: '导出 XLSX', export_csv: '导出 CSV', more: '更多条件',
    kind: '类型', analog: '模拟量', state_kind: '开关量', counter: '累计量', text: '文本',
    retention: '保存', bulk: '一般', statutory: '法定',
    subsystem: '子系统', role: '角色', yes: '是', no: '否', nobody: '无', refresh: '刷新',
    mining: '采煤', heading: '掘进', transport: '运输', drainage: '排水', ventilation: '通风', power: '供电', network: '网络', safety: '安全监控', other: '其他',
    who: '何人', when: '何时', why: '原因', version: '版本', done: '已完成', failed: '未完成', trend: '趋势', machine: '设备', lineage: '血缘', quality: '质量', catalogue: '目录',
    no_such_point: '没有测点：{0}', pick_point: '测点', pick_hint: '输入名称或编号', unknown: '不详', at_once: '查找中 …',
  },
  {
    page: '{0}–{1} of {2}', past: 'There are only {0}: this is past the last page', none_found: 'Nothing fits these conditions', earlier: 'Previous', later: 'Next', older: 'Older', newest: 'Newest',
    details: 'Details', nothing_chosen: 'Choose one in the list', export_xlsx: 'Export XLSX', export_csv: 'Export CSV', more: 'More conditions',
    kind: 'Kind', analog: 'analog', state_kind: 'state', counter: 'counter', text: 'text',
    retention: 'Retention', bulk: 'general', statutory: 'statutory',
    subsystem: 'Subsystem', role: 'Role', yes: 'yes', no: 'no', nobody: 'none', refresh: 'Refresh',
    mining: 'mining', heading: 'heading', transport: 'transport', drainage: 'drainage', ventilation: 'ventilation', power: 'power', network: 'network', safety: 'safety monitoring', other: 'other',
    who: 'Who', when: 'When', why: 'Why', version: 'Version', done: 'Done', failed: 'Not done', trend: 'Trend', machine: 'Machine', lineage: 'Lineage', quality: 'Quality', catalogue: 'Catalogue',
    no_such_point: 'There is no point {0}', pick_point: 'Point', pick_hint: 'type a name or id', unknown: 'not known', at_once: 'Searching …',
  },
)

const KINDS = {analog: 'analog', state: 'state_kind', counter: 'counter', text: 'text'} as const
export const kindWords = (kind: string): string => g(KINDS[kind as keyof typeof KINDS] ?? 'unknown')

export const SUBSYSTEMS = ['mining', 'heading', 'transport', 'ventilation', 'drainage', 'power', 'safety', 'network', 'other'] as const
export const subsystemWords = (name: string): string =>
  (SUBSYSTEMS as readonly string[]).includes(name) ? g(name as (typeof SUBSYSTEMS)[number]) : name || g('unknown')
