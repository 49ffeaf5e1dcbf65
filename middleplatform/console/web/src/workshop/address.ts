/* What a device's address (URL) says of protocol and settings, and the password that does not belong in it. */

export interface Address {
  adapter: string
  settings: Record<string, string>
  /** The address without password. */
  bare: string
  password: string
}

const FORM = /^([a-z.+]+):\/\/(?:([^/?]*)@)?(\[[^\]/?]+\]|[^/?:@]*)(?::(\d+))?(\/[^?]*)?(?:\?(.*))?$/i

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Null for what is no address. */
export function addressOf(text: string): Address | null {
  const found = FORM.exec(text.trim())
  if (!found) return null
  const [, scheme = '', login = '', host = '', port = '', path = '', query = ''] = found
  const said = scheme.toLowerCase()
  const adapter = {'opc.tcp': 'opcua', mqtts: 'mqtt'}[said] ?? said
  const user = decoded(login.split(':')[0]!)
  const settings: Record<string, string> = {}
  if (adapter === 'opcua') Object.assign(settings, {url: `opc.tcp://${host}${port && ':'}${port}${path}`, security: user ? 'basic256sha256' : 'none'})
  else if (!host && path.startsWith('/dev/')) Object.assign(settings, {transport: 'serial', port: path})
  else {
    if (host) settings.host = host.replace(/^\[|\]$/g, '')
    if (port) settings.port = port
    if (adapter === 'modbus' && /^\/\d+$/.test(path)) settings.unit = path.slice(1)
  }
  if (said === 'mqtts') settings.tls = 'true'
  if (user) settings.user = user
  const more = new URLSearchParams(query)
  const secret = more.get('password')
  more.delete('password')
  for (const [key, value] of more) settings[key] = value
  const front = `${scheme}://${user && `${login.split(':')[0]!}@`}${host}${port && ':'}${port}${path}`
  const rest = secret === null ? query : more.toString()
  return {adapter, settings, bare: front + (rest && '?') + rest, password: secret ?? decoded(login.split(':').slice(1).join(':'))}
}

/** A text without the passwords of addresses that stand in it. */
export const withoutPasswords = (text: string): string => text.replace(/(:\/\/[^/@?\s:"]*):(?!\d+\/)[^\s"]*@/g, '$1@').replace(/([?&]password=)[^&\s"]*/gi, '$1')
