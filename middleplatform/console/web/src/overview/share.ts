/* A part of the whole in percent, to what is known of it: whole ones, and never all where a little lacks. */
export function shareWords(share: number): string {
  const percent = Math.min(100, Math.max(0, share * 100))
  return percent > 0 && percent < 1 ? '<1' : String(Math.floor(percent + 1e-9))
}
