import {room} from '../i18n'

export const t = room(
  {
    unknown: '命令结果未知', settle: '现场核实 …', heading: '现场核实', do: '记录', done: '现场看到：已执行', not_done: '现场看到：未执行',
    hint: '写明是谁、怎样看到的。记入审计，署您的名，不可修改。网关对该测点的限制不因此解除：它只认自己的回读。', reason: '谁在现场、看到了什么',
  },
  {
    unknown: 'Outcome of a command unknown', settle: 'Say what was seen …', heading: 'What was seen at the machine', do: 'Record it', done: 'Seen there: it was done', not_done: 'Seen there: it was not done',
    hint: 'Say who saw it and how. It goes into the audit with your name, and is never changed. What the gateway holds back of the point stays so: it goes by what it reads back alone.', reason: 'who was there, and what they saw',
  },
)
