/* One thing ordered at every gateway that reads a machine, one after another; what each of them said. */
import {ref, shallowRef} from 'vue'
import {give, type Asked, type Told} from './orders'
import type {Person} from './person'

export function everywhere() {
  const busy = ref(false)
  const told = shallowRef<{gateway: string; told: Told}[]>([])
  /** When the last answer came or was given up, by this page's clock. */
  const ended = ref(0)

  async function send(orders: readonly Asked[], persons: readonly Person[]): Promise<void> {
    busy.value = true
    const found: {gateway: string; told: Told}[] = []
    try {
      for (const order of orders) found.push({gateway: order.gateway, told: await give(order, persons)})
    } finally {
      ended.value = performance.now()
      told.value = found
      busy.value = false
    }
  }
  return {busy, told, ended, send}
}
