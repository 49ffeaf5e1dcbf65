import {room} from '../i18n'

export const t = room(
  {
    locked: '登录失败次数过多，此用户名已锁定；等待，或请管理员解锁', throttled: '尝试次数过多', wait: '还须等待 {0}', over: '现在可以再试', give_old: '请输入原密码', too_short: '新密码太短：至少 {0} 个字符',
    seconds: '{0} 秒', minutes: '{0} 分 {1} 秒',
  },
  {
    locked: 'This name is locked after too many failures: wait, or ask an administrator', throttled: 'Too many attempts', wait: '{0} to wait', over: 'You can try again now', give_old: 'Enter the old password', too_short: 'The new password is too short: {0} characters at least',
    seconds: '{0} s', minutes: '{0} min {1} s',
  },
)
