/* How old something is, in the shell's words. */
import {t} from '../i18n'

/** `us`: its time, µs; `now`: ms. */
export function ageOf(us: number, now: number): string {
  const s = Math.max(0, Math.round(now / 1000 - us / 1e6))
  return s < 120 ? t('age_s', s) : s < 7200 ? t('age_min', Math.round(s / 60)) : t('age_h', Math.round(s / 3600))
}
