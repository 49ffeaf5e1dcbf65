/* Runs as they go: one stream for what a page looks at, closed when it is left. */
import {onScopeDispose, ref, shallowRef} from 'vue'
import type {LineFacts, RunFacts, RunFrame} from './api'
import {ENDED} from './api'
import {LiveSocket} from '../live/socket'
import {language} from '../i18n'

/** `run`: one run with its journal; null for all that go on. `ended`: what is done when a run has ended. */
export function runsLive(run: number | null, ended: (run: RunFacts) => void = () => {}) {
  const runs = shallowRef<ReadonlyMap<number, RunFacts> | null>(null)
  const lines = shallowRef<readonly LineFacts[]>([])
  const wrong = ref('')
  const socket = new LiveSocket('sequences/stream', () => ({subscribe: run === null ? {} : {run}}), frame => take(frame as RunFrame))

  function take(frame: RunFrame): void {
    if (frame.error) {
      wrong.value = (language.value === 'zh' && frame.error.message_zh) || frame.error.message
      // What is not there does not come by asking again.
      if (frame.error.code === 'unknown_run') socket.close()
      return
    }
    wrong.value = ''
    const known = new Map(frame.snapshot ? [] : runs.value)
    for (const each of frame.runs ?? []) {
      if (run === null && ENDED.includes(each.phase)) {
        known.delete(each.id)
        ended(each)
      } else known.set(each.id, each)
    }
    if (frame.snapshot || frame.runs?.length) runs.value = known
    const fresh = run === null ? [] : (frame.lines ?? []).filter(line => line.run === run)
    if (frame.snapshot) lines.value = fresh
    else if (fresh.length) {
      const last = lines.value.at(-1)?.number ?? 0
      lines.value = [...lines.value, ...fresh.filter(line => line.number > last)]
    }
  }

  socket.open()
  onScopeDispose(() => socket.close())
  return {runs, lines, wrong, old: socket.old, last: socket.last}
}
