// The API as its document describes it: one client, the caller's token, and errors as
// the problems that they are.
import { effect, signal } from '@preact/signals'
import createClient from 'openapi-fetch'
import type { components, paths } from './schema'

export type Schemas = components['schemas']
export type Problem = Schemas['Problem']
export type Move = Schemas['MoveView']
export type Tenant = Schemas['TenantView']
export type Wave = Schemas['Wave']
export type Place = Schemas['Placement']
export type Role = 'viewer' | 'operator' | 'admin'

// The token lives as long as the tab: it is in no cookie, and on no disk.
const kept = 'sluice.token'
export const token = signal(sessionStorage.getItem(kept) ?? '')
effect(() => {
  if (token.value) sessionStorage.setItem(kept, token.value)
  else sessionStorage.removeItem(kept)
})

export interface Caller { name: string, role: Role }

/** Who asks: undefined while it is not known, null when the API knows nobody. */
export const caller = signal<Caller | null | undefined>(undefined)

const order: Role[] = ['viewer', 'operator', 'admin']
export const may = (role: Role) => !!caller.value && order.indexOf(caller.value.role) >= order.indexOf(role)

/** A problem that the API has answered, or one of getting an answer at all. */
export class Failure extends Error {
  constructor(readonly problem: Problem) { super(problem.detail) }
}

const bearer = (text: string): Record<string, string> => (text ? { Authorization: `Bearer ${text}` } : {})

export const headers = () => bearer(token.value)

export const client = createClient<paths>({ baseUrl: '/api/v1' })
client.use({
  onRequest({ request }) {
    if (!request.headers.has('Authorization')) for (const [k, v] of Object.entries(headers())) request.headers.set(k, v)
    return request
  },
})

/** The body of an answer; everything else is a Failure. A caller who was known and is not any more is told to sign in. */
export async function got<T>(call: Promise<{ data?: T, error?: unknown, response: Response }>, known = true): Promise<T> {
  let answer
  try {
    answer = await call
  } catch (e) {
    if ((e as Error).name === 'AbortError') throw e
    throw new Failure(unreachable(String((e as Error).message)))
  }
  if (answer.response.ok) return answer.data as T
  if (known && answer.response.status === 401) caller.value = null
  throw new Failure(problemOf(answer.error, answer.response))
}

function problemOf(body: unknown, r: Response): Problem {
  const p = body as Problem | undefined
  if (p && typeof p === 'object' && typeof p.code === 'string') return p
  return { ...unreachable(`the answer was ${r.status} ${r.statusText}, and no problem of the API`), status: r.status }
}

const unreachable = (detail: string): Problem => ({
  type: 'about:blank', title: 'The controller does not answer.', status: 0, detail, code: 'unreachable', retryable: true,
  action: 'Check that the controller runs and that the network leads to it. What is shown is what was known last.',
})

/** Asks who has a token, and keeps both; one that is not known is an error, and is not kept. */
export async function identify(candidate = token.value): Promise<void> {
  try {
    const who = await got(client.GET('/whoami', { headers: bearer(candidate) }), false)
    token.value = candidate
    caller.value = who as Caller
  } catch (e) {
    if (e instanceof Failure && e.problem.status === 401 && candidate === token.value) caller.value = null
    throw e
  }
}
