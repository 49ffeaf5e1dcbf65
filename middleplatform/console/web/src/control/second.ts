/* The second person of one dialogue: signs there once, is somebody else, and is not left in the page. */
import {onUnmounted, ref, shallowRef} from 'vue'
import {armed, same, type Person} from './person'
import {t} from './words'

export function beside() {
  const second = shallowRef<Person | null>(null)
  const said = ref('')
  onUnmounted(() => {
    second.value = null
  })
  function join(person: Person | null): void {
    said.value = person && armed.value && same(armed.value, person) ? t('second_same') : ''
    second.value = said.value ? null : person
  }
  return {second, said, join}
}
