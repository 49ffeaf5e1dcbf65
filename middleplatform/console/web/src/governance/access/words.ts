import {room} from '../../i18n'

export const t = room(
  {
    heading: '用户与令牌', users: '用户', tokens: '令牌', roles: '角色权限', add_user: '添加用户', add_token: '生成令牌',
    name: '名称', role: '角色', scope: '数据范围', created: '创建', state: '状态', everything: '全矿', acts: '操作', expires: '到期', maker: '由谁生成', never: '长期有效', revoked: '已撤销 {0}', expired: '已到期', holds: '有效',
    must_change: '待更改初始密码', locked: '已锁定，还有 {0}', free: '正常', unlock: '解锁', reset: '重设密码', change: '更改', remove: '删除', revoke: '撤销', you: '您自己',
    user_name: '用户名（小写字母、数字、. _ -）', token_name: '用途', days: '有效天数', days_hint: '留空为长期', user_made: '用户 {0} 的初始密码', token_made: '令牌', once: '只显示这一次，请立即交给本人或存入程序。', copy: '复制', copied: '已复制', no_copy: '浏览器不允许复制，请手工选取',
    initial_only: '初始密码只能用来更改密码；更改之前打不开其他任何内容。', remove_user: '删除用户 {0}？其会话结束，其生成的令牌撤销。', reset_user: '重设 {0} 的密码？其会话结束，锁定解除。', revoke_token: '撤销令牌 {0}（{1}）？使用它的程序随即被拒绝。',
    bound_by: '限定', bound_areas: '区域', bound_equipment: '子系统', bound_classes: '数据类别', unbounded: '不限', also_within: '含其下级区域', classes_bulk: '一般样本', classes_statutory: '法定样本', classes_events: '事件', mines: '矿井',
    narrowed: '范围只能收窄：在您自己的范围之内。更改即为新的范围。', sessions: '登录会话', programs: '程序令牌', with_sessions: '含登录会话', with_ended: '含已失效', none: '没有', permission: '权限', may: '有', may_not: '无', added: '本矿添加', removed: '本矿去除',
    own_policy: '为程序自带的权限；以 sevenones policy apply 更改', changed_policy: '本矿由 {0} 于 {1} 更改', role_operator: '调度员', role_engineer: '集成工程师', role_analyst: '分析员', role_bureau: '监管部门', role_administrator: '管理员', close: '我已保存，关闭', of_scope: '范围：{0}', area_and: '{0}：{1}', change_user: '更改用户 {0}', save: '保存', session_of: '{0} 的登录',
  },
  {
    heading: 'Users and tokens', users: 'Users', tokens: 'Tokens', roles: 'What roles may do', add_user: 'Add a user', add_token: 'Make a token',
    name: 'Name', role: 'Role', scope: 'Sees', created: 'Made', state: 'State', everything: 'the whole mine', acts: 'Acts', expires: 'Ends', maker: 'Made by', never: 'never', revoked: 'revoked {0}', expired: 'expired', holds: 'holds',
    must_change: 'has an initial password to change', locked: 'locked, for another {0}', free: 'normal', unlock: 'Unlock', reset: 'Reset password', change: 'Change', remove: 'Remove', revoke: 'Revoke', you: 'yourself',
    user_name: 'User name (lower-case letters, digits, . _ -)', token_name: 'What it is for', days: 'Days', days_hint: 'empty: for ever', user_made: 'Initial password of {0}', token_made: 'Token', once: 'It is shown this once: hand it over, or put it where the program reads it.', copy: 'Copy', copied: 'Copied', no_copy: 'The browser does not let it be copied: select it by hand',
    initial_only: 'An initial password opens nothing but its own change.', remove_user: 'Remove the user {0}? The sessions end, and tokens that the user made are revoked.', reset_user: 'Reset the password of {0}? The sessions end, and a lock too.', revoke_token: 'Revoke the token {0} ({1})? Programs that use it are refused at once.',
    bound_by: 'Bounded by', bound_areas: 'Areas', bound_equipment: 'Subsystems', bound_classes: 'Classes of data', unbounded: 'not bounded', also_within: 'with the areas inside them', classes_bulk: 'general samples', classes_statutory: 'statutory samples', classes_events: 'events', mines: 'Mines',
    narrowed: 'A scope can only be narrowed, within your own. What is chosen here replaces the one before.', sessions: 'sign-ins', programs: 'tokens of programs', with_sessions: 'with sign-ins', with_ended: 'with ended ones', none: 'There are none', permission: 'Permission', may: 'yes', may_not: 'no', added: 'added by this mine', removed: 'removed by this mine',
    own_policy: 'The program’s own; changed by sevenones policy apply', changed_policy: 'Changed for this mine by {0} at {1}', role_operator: 'operator', role_engineer: 'integration engineer', role_analyst: 'analyst', role_bureau: 'energy bureau', role_administrator: 'administrator', close: 'I have kept it, close', of_scope: 'Sees: {0}', area_and: '{0}: {1}', change_user: 'Change the user {0}', save: 'Save', session_of: 'sign-in of {0}',
  },
)

const ROLES = ['operator', 'engineer', 'analyst', 'bureau', 'administrator'] as const
export const roleWords = (role: string): string =>
  (ROLES as readonly string[]).includes(role) ? t(`role_${role}` as 'role_operator') : role
export {ROLES}
