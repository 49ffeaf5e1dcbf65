/* The alarm's sound, made here and not read from a file: by priority another pattern, so that it is known by ear. */

/** Of a priority: what is heard, as [Hz, from s, for s], and after how long it comes again. */
const PATTERNS: Record<number, {tones: [number, number, number][]; again_s: number}> = {
  1: {tones: [[988, 0, 0.14], [1319, 0.18, 0.14], [988, 0.36, 0.14], [1319, 0.54, 0.14]], again_s: 2},
  2: {tones: [[880, 0, 0.16], [880, 0.26, 0.16]], again_s: 3},
  3: {tones: [[659, 0, 0.22]], again_s: 5},
  4: {tones: [[494, 0, 0.22]], again_s: 10},
}
const LOUD = 0.25
const EDGE_S = 0.015

let context: AudioContext | null = null

export const canSound = (): boolean => typeof AudioContext !== 'undefined'

/** Whether the browser lets us sound: most do only once somebody has clicked or pressed a key. */
export const allowed = (): boolean => context?.state === 'running'

/** To be called from a click or a key. */
export async function allow(): Promise<boolean> {
  if (!canSound()) return false
  context ??= new AudioContext()
  if (context.state !== 'running') await context.resume().catch(() => undefined)
  return allowed()
}

export const againAfter = (priority: number): number => (PATTERNS[priority] ?? PATTERNS[4]!).again_s * 1000

/** Sounds the pattern of a priority once. */
export function ring(priority: number): void {
  if (!context || !allowed()) return
  const begin = context.currentTime + 0.02
  for (const [hertz, from, length] of (PATTERNS[priority] ?? PATTERNS[4]!).tones) {
    const tone = context.createOscillator()
    const loud = context.createGain()
    tone.type = 'triangle'
    tone.frequency.value = hertz
    // Without soft edges it would crackle.
    loud.gain.setValueAtTime(0, begin + from)
    loud.gain.linearRampToValueAtTime(LOUD, begin + from + EDGE_S)
    loud.gain.setValueAtTime(LOUD, begin + from + length - EDGE_S)
    loud.gain.linearRampToValueAtTime(0, begin + from + length)
    tone.connect(loud).connect(context.destination)
    tone.start(begin + from)
    tone.stop(begin + from + length)
    tone.onended = () => {
      tone.disconnect()
      loud.disconnect()
    }
  }
}
