import {room} from '../../i18n'

export const t = room(
  {
    heading: '数据目录', search: '查找测点', hint: '名称、设备、编码、单位；中英文均可',
    code: '国家编码', class: '数据分类', owner: '责任人', missing: '缺少', no_code: '无国家编码', no_class: '未分类', no_owner: '无责任人',
    meaning: '含义', path: '编号', range: '量程', range_of: '{0} 至 {1}', unbounded: '不限', limits: '限值', source: '来源', states: '状态',
    gateway: '网关', connection: '连接', adapter: '协议', address: '设备地址', group: '采集组', formula: '计算式', place: '网络位置',
    template: '模板', area: '区域', silence: '最长静默', code_from: '字典{0}', not_in_dictionary: '字典中没有此编码',
    restore: '恢复 {0}', since: '自 {0}', unconfirmed: '未经本矿确认', none_given: '未规定', now: '当前值', key: '键',
    lo: '下限', lolo: '下下限', hi: '上限', hihi: '上上限',
    derived: '由其他测点算出', seconds: '{0} 秒', quality_day: '最近一天的质量', owner_none: '责任人字典未指定', class_none: '分类字典未涵盖',
  },
  {
    heading: 'Catalogue of data', search: 'Find points', hint: 'name, machine, code, unit; Chinese or English',
    code: 'National code', class: 'Class', owner: 'Owner', missing: 'Lacks', no_code: 'no national code', no_class: 'no class', no_owner: 'no owner',
    meaning: 'Meaning', path: 'Path', range: 'Range', range_of: '{0} to {1}', unbounded: 'unbounded', limits: 'Limits', source: 'Source', states: 'States',
    gateway: 'Gateway', connection: 'Connection', adapter: 'Protocol', address: 'Address in the device', group: 'Poll group', formula: 'Formula', place: 'On the network',
    template: 'Template', area: 'Area', silence: 'Longest silence', code_from: 'dictionary {0}', not_in_dictionary: 'the dictionary has no such code',
    restore: 'returns at {0}', since: 'since {0}', unconfirmed: 'not confirmed by this mine', none_given: 'none given', now: 'Now', key: 'Key',
    lo: 'low', lolo: 'low low', hi: 'high', hihi: 'high high',
    derived: 'computed from other points', seconds: '{0} s', quality_day: 'Quality of the last day', owner_none: 'no owner in the dictionary', class_none: 'no class in the dictionary',
  },
)
