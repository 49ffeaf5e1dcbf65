import {room} from '../../i18n'

export const t = room(
  {
    heading: '字典', kind: '种类', holds: '今日生效', none_holds: '无', versions: '版本', entries: '{0} 条', loaded: '{0} 装载，{1}', with_program: '随程序提供', source: '来源', edition: '版次', effective_from: '生效日', load: '装载文件', file: '文件（YAML、CSV、XLSX，至多 2 MB）', means: '用途', empty: '此版没有条目', not_loaded: '尚未装载', no_such_kind: '没有名为“{0}”的字典，请在上方选择一种', choose: '选择一种字典',
    needed: '必填', key: '主键', loading_note: '整份核对，有一处错误即全部不装载；已有的版本不会被更改。', loaded_new: '已装载为第 {0} 版，共 {1} 条', loaded_old: '内容与第 {0} 版完全相同，未新增', mistakes: '{0} 处错误，均未装载', at: '位置', message: '错误', version_n: '第 {0} 版', optional: '文件内已写明时可不填', columns: '栏目', by_file: '按文件', filter: '在本页中查找', today: '今日', choose_file: '请选择文件',
  },
  {
    heading: 'Dictionaries', kind: 'Kind', holds: 'Holds today', none_holds: 'none', versions: 'Versions', entries: '{0} entries', loaded: 'loaded by {0}, {1}', with_program: 'came with the program', source: 'Source', edition: 'Edition', effective_from: 'In force since', load: 'Load a file', file: 'File (YAML, CSV, XLSX, 2 MB at most)', means: 'What it is', empty: 'This version has no entries', not_loaded: 'not loaded yet', no_such_kind: 'There is no dictionary “{0}”: choose a kind above', choose: 'Choose a kind',
    needed: 'needed', key: 'key', loading_note: 'It is checked whole: one mistake, and nothing is loaded. Versions that are there are never changed.', loaded_new: 'Loaded as version {0} with {1} entries', loaded_old: 'The very content of version {0}: nothing new', mistakes: '{0} mistakes, nothing was loaded', at: 'Where', message: 'Mistake', version_n: 'version {0}', optional: 'may be left out where the file says it', columns: 'Columns', by_file: 'as the file says', filter: 'Find on this page', today: 'today', choose_file: 'Choose a file',
  },
)
