import {room} from '../../i18n'

export const t = room(
  {
    heading: '数据血缘', of: '来自', at: '时刻', now: '现在', width: '汇总', no_width: '单个数值', bucket: '{0} 汇总值',
    as_graph: '图', as_list: '清单', pick: '请选择一个测点，查看其数值从何而来', hidden: '另有 {0} 个来源不在您的范围内',
    rollup: '汇总值', point: '测点', derived: '计算测点', address: '设备地址', connection: '连接', gateway: '网关', equipment: '设备', template: '模板', role: '角色', dictionary: '字典', manual: '人工更正', figure: '指标',
    aggregates: '汇总自', computed_from: '计算自', read_at: '读自', over: '经由', run_by: '运行于', computed_by: '计算于', of_machine: '属于', instance_of: '依据模板', means: '含义', coded_by: '编码依据', corrected_by: '更正于',
    site_version: '当时的配置版本 {0}（{1}，{2}）', no_version: '当时没有已记录的配置版本，按现在运行的配置回答', since: '自版本 {0} 起', facts: '该节点', source_of: '由此而来', made_of: '来源',
    counted: '区间内样本 {0} 个', expression: '计算式', chosen: '点选一个节点查看详情', keys: '方向键在节点间移动', digest: '摘要', samples: '样本 {0} 个', by: '由 {0} 录入，{1} 批准', was: '原值 {0}，更正为 {1}',
    from_to: '{0} 至 {1}', rollup_rule: '按时间加权；数值保持到下一个样本，但不超过最长保持时间；坏质量的时间不计', again: '（见上）',
    unit: '单位', retention: '保存', factor: '系数', offset: '偏移', low: '下量程', high: '上量程', dead_band: '死区', silence_s: '最长静默（秒）', adapter: '协议', type: '类型', order: '字节序', group: '采集组', period_s: '周期（秒）', rule: '规则', width_us: '宽度', area: '区域', edition: '版次', effective_from: '生效日', code: '编码', reason: '理由', point_id: '测点编号', place: '网络位置', samples_from: '样本起自', start: '开始', end: '结束', means_in: '说明', entry: '条目', who: '录入人', decided_by: '批准人', version: '版本', first: '首个样本',
  },
  {
    heading: 'Lineage', of: 'Of', at: 'At', now: 'now', width: 'Roll-up', no_width: 'a single value', bucket: 'of {0}',
    as_graph: 'Graph', as_list: 'List', pick: 'Choose a point to see where its value comes from', hidden: '{0} more sources are outside what you may see',
    rollup: 'roll-up', point: 'point', derived: 'computed point', address: 'address in the device', connection: 'connection', gateway: 'gateway', equipment: 'machine', template: 'template', role: 'role', dictionary: 'dictionary', manual: 'correction by hand', figure: 'figure',
    aggregates: 'aggregates', computed_from: 'computed from', read_at: 'read at', over: 'over', run_by: 'run by', computed_by: 'computed by', of_machine: 'of', instance_of: 'instance of', means: 'means', coded_by: 'coded by', corrected_by: 'corrected by',
    site_version: 'Site version {0} held then ({1}, {2})', no_version: 'No site version of that time is on record: this is what runs now', since: 'since version {0}', facts: 'This node', source_of: 'Of it is made', made_of: 'Is made of',
    counted: '{0} samples in it', expression: 'Formula', chosen: 'Choose a node to see what it is', keys: 'Arrow keys move between nodes', digest: 'Digest', samples: '{0} samples', by: 'entered by {0}, approved by {1}', was: 'was {0}, is {1}',
    from_to: '{0} to {1}', rollup_rule: 'weighted by time; a value holds until the next sample, though not beyond the hold age; bad time is left out', again: '(see above)',
    unit: 'Unit', retention: 'Retention', factor: 'Factor', offset: 'Offset', low: 'Lowest', high: 'Highest', dead_band: 'Dead band', silence_s: 'Longest silence (s)', adapter: 'Protocol', type: 'Type', order: 'Byte order', group: 'Poll group', period_s: 'Period (s)', rule: 'Rule', width_us: 'Width', area: 'Area', edition: 'Edition', effective_from: 'In force since', code: 'Code', reason: 'Reason', point_id: 'Point number', place: 'On the network', samples_from: 'Samples from', start: 'Begin', end: 'End', means_in: 'Meaning', entry: 'Entry', who: 'Entered by', decided_by: 'Approved by', version: 'Version', first: 'First sample',
  },
)
