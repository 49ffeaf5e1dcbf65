import {room} from '../../i18n'

export const t = room(
  {
    heading: '标准化报告', following: '{1} 个测点中 {0} 个符合全部必须规则', share: '符合率 {0}', day: '字典生效日', rules: '规则', rule: '规则', applies: '适用', broken: '不符',
    severity: '程度', must: '必须', should: '宜', about: '方面', naming: '命名', unit: '单位', code: '编码', class: '分类', owner: '责任人', range: '量程',
    findings: '问题与建议', value: '现为', proposal: '建议', none: '无建议', all_follow: '没有不符合的测点', empty_value: '（空）', converted: '换算：新值 = 旧值 × {0} + {1}',
    dictionaries: '所用字典', no_points: '没有测点', not_assessed: '未评定：此规则不适用于任何测点，或字典尚未装载', name: '名称',
  },
  {
    heading: 'Standardisation report', following: '{0} of {1} points follow every rule that must be followed', share: '{0} follow', day: 'Dictionaries of', rules: 'Rules', rule: 'Rule', applies: 'Applies to', broken: 'Broken by',
    severity: 'Severity', must: 'must', should: 'should', about: 'About', naming: 'naming', unit: 'unit', code: 'code', class: 'class', owner: 'owner', range: 'range',
    findings: 'Findings and proposals', value: 'Is', proposal: 'Proposed', none: 'no proposal', all_follow: 'No point breaks these rules', empty_value: '(empty)', converted: 'convert: new = old × {0} + {1}',
    dictionaries: 'Dictionaries', no_points: 'There are no points', not_assessed: 'not assessed: the rule applies to no point, or its dictionary is not loaded', name: 'name',
  },
)
