/* The most urgent open alarm of each machine, reckoned once for all that show it. */
import {computed} from 'vue'
import {board} from '../alarms/board'
import {alarmsByEquipment} from '../mine/state'

export const worst = computed<ReadonlyMap<string, number>>(() => (board.value ? alarmsByEquipment() : new Map()))
