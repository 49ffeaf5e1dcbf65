/* A WebSocket that comes back by itself, and knows when what it told last is old. */
import {computed, ref, type ComputedRef} from 'vue'
import {now} from './clock'

const OLD_MS = 3000
/** So long without a word, on a link that nobody closed, and it is given up: a cable that was pulled closes nothing. */
const DEAD_MS = 8000
const FIRST_MS = 500
const MOST_MS = 8000

/** A link that is still being made is ended once it is there: ended before, the browser calls it an error. */
function leave(socket: WebSocket): void {
  if (socket.readyState === WebSocket.CONNECTING) socket.onopen = () => socket.close()
  else socket.close()
}

export class LiveSocket {
  /** Whether nothing has come for 3 s; not before it was opened. */
  readonly old: ComputedRef<boolean>
  /** When the last word came, or it was opened, ms. */
  readonly last = ref(0)
  private socket: WebSocket | null = null
  private wanted = false
  private wait = FIRST_MS
  private timer = 0
  private looking = 0
  private begun = 0

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
    this.looking = setInterval(() => this.look(), 1000)
  }

  close(): void {
    this.wanted = false
    this.last.value = 0
    clearTimeout(this.timer)
    clearInterval(this.looking)
    if (this.socket) leave(this.socket)
    this.socket = null
  }

  /** Begin anew where the link is silent, and does not say that it is gone. */
  private look(): void {
    if (!this.socket || Date.now() - Math.max(this.last.value, this.begun) < DEAD_MS) return
    const silent = this.socket
    this.connect()
    leave(silent)
  }

  /** Say anew what is wanted. */
  renew(): void {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(this.word()))
  }

  private connect(): void {
    const scheme = location.protocol === 'https:' ? 'wss' : 'ws'
    const socket = new WebSocket(`${scheme}://${location.host}/api/v1/${this.path}`)
    this.socket = socket
    this.begun = Date.now()
    socket.onopen = () => socket.send(JSON.stringify(this.word()))
    socket.onmessage = message => {
      if (this.socket !== socket) return
      this.wait = FIRST_MS
      const frame: unknown = JSON.parse(String(message.data))
      if (!(frame as {error?: unknown}).error) this.last.value = Date.now()
      this.heard(frame)
    }
    socket.onclose = () => {
      if (this.socket !== socket || !this.wanted) return
      this.socket = null
      this.timer = setTimeout(() => this.connect(), this.wait)
      this.wait = Math.min(MOST_MS, this.wait * 2)
    }
  }
}
