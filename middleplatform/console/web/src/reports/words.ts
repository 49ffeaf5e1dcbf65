import {room} from '../i18n'

export const t = room(
  {
    reports: '已编制的报表', make: '编制报表', kind: '种类', shift: '班报', daily: '日报', monthly: '月报', bureau: '局报', day: '日期', month: '月份', which_shift: '班次', rest: '班外', making: '编制中 …', made: '已编制，验证码 {0}', period: '时段', mines: '矿井', code: '验证码', who: '编制人', at: '编制时间', files: '下载',
    language: '语言', zh: '中文', en: '英文', both: '中英', none: '还没有报表', older: '更早的', of_all: '本矿', all_mines: '平台所知的全部矿井',
    verify: '核验报表', drop: '把报表文件（XLSX 或 PDF）拖到这里，或选择文件', choose: '选择文件', by_code: '或输入验证码', check: '核验', checking: '核验中 …', no_code: '这不是验证码。验证码是 20 个字母或数字（A–Z、2–7），每 4 个一组，印在报表每一页上',
    good: '核验通过', not_good: '核验未通过', known: '验证码有效：{0} 由 {1} 编制', unknown_code: '本平台没有登记过验证码 {0}', unchanged: '文件内容与登记的一致', changed: '与登记内容不同的地方：{0} 处', where: '位置', says: '文件中', should: '登记的',
    same: '编制所用的各日指标至今一致，每个数字到末位相同', not_same: '编制所用的各日指标已不能得出同样的数字', not_all: '编制所用的日子没有全部保存，无法重算', newer: '此后有 {0} 个日子的指标被修订：报表保持原样', received: '{0} 的 {1} 天由该矿报来，本平台没有依据', reworded: '数字相同，措辞不同：由程序 {0} 编制，现为 {1}', programs: '编制程序 {0}，当前程序 {1}', by_code_only: '仅按验证码核验，没有比对文件',
    sealed: '验证码是什么', sealed_1: '验证码由报表的全部内容（每个数字、口径、版本与各日摘要）算出，印在每一页上。内容改动一个字，验证码就不同。', sealed_2: '核验回答三件事：验证码是否由本平台登记；文件是否与登记的内容逐格一致；编制所用的各日指标是否仍得出同样的数字。', sealed_3: '登记在编制时写入，另记入审计日志，之后不再改动；日指标日后修订不改报表，只提示有更新的修订。未结束的日子不进报表。', cli: '命令行同样可用：sevenones report verify 文件或验证码；按保存的依据重算某日：sevenones kpi verify（仅命令行）。',
    too_early: '该时段还没有结束的日子', difference_more: '仅列出前 {0} 处',
  },
  {
    reports: 'Reports that were made', make: 'Make a report', kind: 'Kind', shift: 'Shift', daily: 'Daily', monthly: 'Monthly', bureau: "Bureau's", day: 'Day', month: 'Month', which_shift: 'Shift', rest: 'Outside of shifts', making: 'Making it …', made: 'Made: code {0}', period: 'Of', mines: 'Mines', code: 'Code', who: 'By', at: 'Made', files: 'Download',
    language: 'Language', zh: 'Chinese', en: 'English', both: 'both', none: 'No reports yet', older: 'Older', of_all: 'this mine', all_mines: 'all mines that the platform knows',
    verify: 'Verify a report', drop: 'Drop a report (XLSX or PDF) here, or choose one', choose: 'Choose a file', by_code: 'or enter its code', check: 'Verify', checking: 'Verifying …', no_code: 'This is no code. A code is 20 letters or digits (A–Z, 2–7) in groups of 4, printed on each page of a report',
    good: 'Verified', not_good: 'Not verified', known: 'The code is known: {0}, made by {1}', unknown_code: 'Nobody recorded the code {0} here', unchanged: 'The file is as recorded', changed: '{0} differences from what is recorded', where: 'Where', says: 'The file says', should: 'Recorded',
    same: 'The days that it was made of still give every figure, to the last digit', not_same: 'The days that it was made of no longer give the same figures', not_all: 'Not all days that it was made of are kept: it cannot be reckoned again', newer: '{0} days were revised since: the report stays what it was', received: '{1} days of {0} came ready-made, with no evidence here', reworded: 'The same figures in other words: made by program {0}, this is {1}', programs: 'made by program {0}, this is {1}', by_code_only: 'by its code alone: no file was compared',
    sealed: 'What a code means', sealed_1: 'The code is reckoned from all that the report says: each figure, the definitions, the versions and the digests of its days. It stands on each page. Change one character and the code is another.', sealed_2: 'Verifying answers three questions: is the code recorded here; is the file what was recorded, cell by cell; do the days that it was made of still give the same figures.', sealed_3: 'What was recorded is never changed, and stands in the audit log too. A day that is revised later changes no report: it is told that there is a newer one. A day that is not over is in no report.', cli: 'Also on the command line: sevenones report verify FILE or CODE. To reckon a day again from its evidence: sevenones kpi verify (command line only).',
    too_early: 'No day of it is over yet', difference_more: 'only the first {0}',
  },
)
