/* Tickets of excluded time, and what this user may do with one: nobody decides on an own one. */
import {t} from './words'

export interface Ticket {
  id: number
  kind: string
  state: 'waiting' | 'approved' | 'rejected' | 'withdrawn' | 'closed'
  reason: string
  extent: string[]
  start: number
  start_time: string
  end: number | null
  end_time: string | null
  who: string
  at: number
  needed: number
  closed_at: number | null
  cause: string | null
  decisions: {who: string; approved: boolean; note: string; at: number}[]
}
export type Act = 'approve' | 'reject' | 'withdraw' | 'close'

/** `why`: why there is no decision to be made where one would look for it. `now`: µs. */
export function acts(of: Ticket, user: string, may: Set<string>, now: number): {acts: Act[]; why: string} {
  if (of.state === 'approved') {
    // What is over already has left out all that it will.
    const lasts = of.end === null || of.end > now
    return {acts: lasts && may.has('ticket.write') ? ['close'] : [], why: ''}
  }
  if (of.state !== 'waiting') return {acts: [], why: ''}
  if (of.who === user) return {acts: may.has('ticket.write') ? ['withdraw'] : [], why: t('own_ticket')}
  if (!may.has('ticket.approve')) return {acts: [], why: ''}
  if (of.decisions.some(each => each.who === user)) return {acts: [], why: t('decided_once')}
  return {acts: ['approve', 'reject'], why: ''}
}

/** How a ticket stands, in words; of one that waits with how many have approved it. */
export function stands(of: Ticket): string {
  return of.state === 'waiting' ? `${t('waiting')} ${t('needs_n', of.decisions.filter(each => each.approved).length, of.needed)}` : t(of.state)
}
