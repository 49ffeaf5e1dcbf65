/* Pages by address: each has one that holds its range and selection, and can be kept and sent. */
import {shallowRef} from 'vue'
import {HOME} from './pages'

export interface Route {
  page: string
  /** What follows the page's name: /equipment/belt_101 has ["belt_101"]. */
  parts: string[]
  query: URLSearchParams
}

function read(): Route {
  const [page = '', ...parts] = partsOf(location.pathname)
  return {page: page || HOME, parts, query: new URLSearchParams(location.search)}
}

/** What an address has between its slashes. One that no text could have become, such as /equipment/%ZZ, is whole the name of
 *  a page that there is not. */
function partsOf(path: string): string[] {
  try {
    return path.split('/').filter(Boolean).map(decodeURIComponent)
  } catch {
    return [path]
  }
}

export const route = shallowRef<Route>(read())
window.addEventListener('popstate', () => {
  route.value = read()
})

/** The address of a page. */
export function to(page: string, parts: readonly string[] = [], query: Record<string, string | null> = {}): string {
  const path = [page, ...parts].map(encodeURIComponent).join('/')
  const kept = new URLSearchParams(Object.entries(query).filter((each): each is [string, string] => each[1] !== null))
  const text = kept.toString()
  return `/${path}${text && '?'}${text}`
}

/** Go to an address of our own. `replace`: the way back does not stop where we are. */
export function go(address: string, replace = false): void {
  if (address === location.pathname + location.search) return
  if (replace) history.replaceState(null, '', address)
  else history.pushState(null, '', address)
  route.value = read()
}

/** Change what the address of the page holds. */
export function hold(query: Record<string, string | null>, replace = true): void {
  const next = new URLSearchParams(route.value.query)
  for (const [name, value] of Object.entries(query)) {
    if (value === null) next.delete(name)
    else next.set(name, value)
  }
  go(to(route.value.page, route.value.parts, Object.fromEntries(next)), replace)
}

/** Links of our own are followed without loading the page anew. */
document.addEventListener('click', event => {
  const link = (event.target as Element | null)?.closest('a')
  if (!link || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.shiftKey) return
  if (link.origin !== location.origin || link.target || link.pathname.startsWith('/api/') || link.download) return
  event.preventDefault()
  go(link.pathname + link.search)
})
