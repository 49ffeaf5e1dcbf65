/* The sound belongs to the shell: its words come before those of the room. */
import {room} from '../i18n'

export const t = room({
  sound_on: '声音已开', sound_click: '声音未开：请点击页面任意处', sound_ringing: '报警声：{0} 级', sound_silenced: '已静音，至新报警', sound_other: '由另一窗口发声', sound_muted: '声音已关闭', silence: '静音 F8', mute: '关闭声音', unmute: '打开声音', muted_banner: '本机报警声音已关闭：新报警不会发声', sound_none: '此浏览器不能发声', sound: '报警声音', test_sound: '试听',
}, {
  sound_on: 'Sound is on', sound_click: 'Sound is off until you click', sound_ringing: 'Sounding: priority {0}', sound_silenced: 'Silenced until a new alarm', sound_other: 'Another window sounds', sound_muted: 'Sound is muted', silence: 'Silence F8', mute: 'Mute', unmute: 'Unmute', muted_banner: 'Alarm sound is muted on this computer: new alarms make no sound', sound_none: 'This browser makes no sound', sound: 'Alarm sound', test_sound: 'Try it',
})
