/* A WebSocket that comes back by itself, and knows when what it told last is old. */
import {computed, ref, type ComputedRef} from 'vue'
import {now} from './clock'

const OLD_MS = 3000
const FIRST_MS = 500
const MOST_MS = 8000

export class LiveSocket {
  /** Whether nothing has come for 3 s; not before it was opened. */
  readonly old: ComputedRef<boolean>
  private readonly last = ref(0)
  private socket: WebSocket | null = null
  private wanted = false
  private wait = FIRST_MS
  private timer = 0

  constructor(
    private readonly path: string,
    private readonly word: () => object,
    private readonly heard: (frame: unknown) => void,
  ) {
    this.old = computed(() => this.last.value > 0 && now.value - this.last.value > OLD_MS)
  }

  open(): void {
    if (this.wanted) return
    this.wanted = true
    this.last.value = Date.now()
    this.connect()
  }

  close(): void {
    this.wanted = false
    this.last.value = 0
    clearTimeout(this.timer)
    this.socket?.close()
    this.socket = null
  }

  /** Say anew what is wanted. */
  renew(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.word()))
  }

  private connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/${this.path}`)
    this.socket = socket
    socket.onopen = () => socket.send(JSON.stringify(this.word()))
    socket.onmessage = message => {
      this.wait = FIRST_MS
      const frame: unknown = JSON.parse(String(message.data))
      if (!(frame as {error?: unknown}).error) this.last.value = Date.now()
      this.heard(frame)
    }
    socket.onclose = () => {
      if (this.socket !== socket || !this.wanted) return
      this.timer = setTimeout(() => this.connect(), this.wait)
      this.wait = Math.min(MOST_MS, this.wait * 2)
    }
  }
}
