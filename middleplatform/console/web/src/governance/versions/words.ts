import {room} from '../../i18n'

export const t = room(
  {
    heading: '配置版本', version: '版本', who: '何人', when: '何时', note: '说明', number: '总线编号', never_published: '本机文件，未发布', back_to: '恢复为第 {0} 号', compare: '与之比较', before_it: '前一版', parts: '各类部件', none_before: '这是第一个版本，没有可比较的', same: '两个版本没有差别', counts: '{0}：新增 {1}，更改 {2}，移除 {3}', truncated: '改动很多，只列出前 {0} 处', kind: '类别', all: '全部',
    added: '新增', changed: '更改', removed: '移除', from_to: '“{0}”由 {1} 改为 {2}', added_words: '新增{0} {1}', changed_words: '更改{0} {1}', removed_words: '移除{0} {1}', difference: '第 {0} 版 → 第 {1} 版', none: '没有已记录的版本', nothing: '无',
    mine: '矿井', area: '区域', template: '模板', equipment: '设备', connection: '连接', point: '测点', linkage: '联动',
    name: '名称', unit: '单位', low: '下量程', high: '上量程', limits: '限值', silence_s: '最长静默', settings: '网络设置', groups: '采集组', address: '地址', role: '角色', retention: '保存', dead_band: '死区', factor: '系数', offset: '偏移', sensor_code: '国家编码', category: '子系统', digest: '摘要', parent: '上级', gateway: '网关', adapter: '协议', kind_of: '类型', type: '数据类型', group: '采集组', states: '状态', formula: '计算式', writable: '可写', capacity_kt: '产能（千吨）', gas_class: '瓦斯等级', shifts: '班次', coordinates: '坐标',
  },
  {
    heading: 'Site versions', version: 'Version', who: 'Who', when: 'When', note: 'Note', number: 'On the bus', never_published: 'files of this machine, never published', back_to: 'back to {0}', compare: 'Compared with', before_it: 'the one before', parts: 'Parts', none_before: 'The first version: there is none to compare it with', same: 'The two versions do not differ', counts: '{0}: {1} added, {2} changed, {3} removed', truncated: 'There are more changes: the first {0} are listed', kind: 'Kind', all: 'all',
    added: 'added', changed: 'changed', removed: 'removed', from_to: '{0}: was {1}, is {2}', added_words: '{0} {1} added', changed_words: '{0} {1} changed', removed_words: '{0} {1} removed', difference: 'version {0} → version {1}', none: 'No version is on record', nothing: 'nothing',
    mine: 'mine', area: 'area', template: 'template', equipment: 'machine', connection: 'connection', point: 'point', linkage: 'linkage',
    name: 'name', unit: 'unit', low: 'lowest', high: 'highest', limits: 'limits', silence_s: 'longest silence', settings: 'network settings', groups: 'poll groups', address: 'address', role: 'role', retention: 'retention', dead_band: 'dead band', factor: 'factor', offset: 'offset', sensor_code: 'national code', category: 'subsystem', digest: 'digest', parent: 'parent', gateway: 'gateway', adapter: 'protocol', kind_of: 'kind', type: 'data type', group: 'poll group', states: 'states', formula: 'formula', writable: 'writable', capacity_kt: 'capacity (kt)', gas_class: 'gas class', shifts: 'shifts', coordinates: 'coordinates',
  },
)

export const KINDS = ['mine', 'area', 'template', 'equipment', 'connection', 'point', 'linkage'] as const
export const kindWords = (kind: string): string => ((KINDS as readonly string[]).includes(kind) ? t(kind as 'mine') : kind)

const FIELDS = ['name', 'unit', 'low', 'high', 'limits', 'silence_s', 'settings', 'groups', 'address', 'role', 'retention', 'dead_band', 'factor', 'offset', 'sensor_code', 'category', 'digest', 'parent', 'gateway', 'adapter', 'type', 'group', 'states', 'formula', 'writable', 'capacity_kt', 'gas_class', 'shifts', 'coordinates', 'template', 'area', 'equipment', 'connection'] as const
export const fieldWords = (name: string): string =>
  name === 'kind' ? t('kind_of') : (FIELDS as readonly string[]).includes(name) ? t(name as 'unit') : name
