/* Dark suits a dim control room, light an office. */
import {ref} from 'vue'

export type Look = 'dark' | 'light'
const kept = localStorage.getItem('look')
export const look = ref<Look>(kept === 'light' ? 'light' : 'dark')

export function wear(next: Look): void {
  look.value = next
  localStorage.setItem('look', next)
  document.documentElement.dataset.theme = next
}
wear(look.value)
