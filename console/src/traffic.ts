// Rates of what the proxies serve: differences of two answers of the same process, so
// that one that has started anew counts from there.
import { useEffect, useState } from 'preact/hooks'
import { client, Failure, got, token, type Problem, type Schemas } from './api'

type Served = Schemas['TrafficView']
type Load = Schemas['LoadView']

export interface Rate { requests: number, failed: number, ms: number } // a second; mean time of a request

export interface Sample {
  at: number
  all: Rate
  clusters: Record<string, Rate>
  tenant?: Rate // absent: no proxy counts it
  held: number
  underWay: number
  tenants: number // in the table, as a proxy has it
  silent: string[] // proxies that did not tell
}

export interface Traffic { samples: Sample[], problem?: Problem, proxies: number, begun: boolean }

const every = 2000
const keep = 90

/** What is served from now on, for as long as the page is shown. */
export function useTraffic(tenant?: string): Traffic {
  const [state, set] = useState<Traffic>({ samples: [], proxies: 0, begun: false })
  useEffect(() => {
    let over = false
    let before: { at: number, served: Map<string, Served> } | undefined
    let samples: Sample[] = []
    const look = async () => {
      if (document.hidden) return
      try {
        const { items } = await got(client.GET('/traffic', { params: { query: tenant ? { tenant } : {} } }))
        if (over) return
        const now = { at: Date.now(), served: new Map(items.map(i => [i.session, i])) }
        if (before) samples = [...samples, sample(before, now)].slice(-keep)
        before = now
        set({ samples, proxies: items.length, begun: true })
      } catch (e) {
        if (!over) set({ samples, proxies: before?.served.size ?? 0, begun: true, problem: e instanceof Failure ? e.problem : undefined })
      }
    }
    void look()
    const timer = setInterval(() => void look(), every)
    return () => { over = true; clearInterval(timer) }
  }, [tenant, token.value])
  return state
}

const nothing: Load = { requests: 0, failed: 0, seconds: 0 }

interface Sum { requests: number, failed: number, seconds: number }

function sample(a: { at: number, served: Map<string, Served> }, b: { at: number, served: Map<string, Served> }): Sample {
  const seconds = Math.max((b.at - a.at) / 1000, 0.001)
  const all: Sum = { ...nothing }
  const clusters = new Map<string, Sum>()
  let tenant: Sum | undefined
  const out: Sample = { at: b.at, all: rateOf(all, seconds), clusters: {}, held: 0, underWay: 0, tenants: 0, silent: [] }
  const add = (to: Sum, was: Load = nothing, is: Load = nothing) => {
    to.requests += Math.max(0, is.requests - was.requests)
    to.failed += Math.max(0, is.failed - was.failed)
    to.seconds += Math.max(0, is.seconds - was.seconds)
  }
  for (const [id, is] of b.served) {
    if (is.error) { out.silent.push(is.name); continue }
    out.held += is.held
    out.underWay += is.under_way
    out.tenants = Math.max(out.tenants, is.tenants)
    const was = a.served.get(id)
    if (is.tenant) tenant ??= { ...nothing }
    if (!was || was.error) continue // from the next time on
    for (const [k, v] of Object.entries(is.by_class ?? {})) add(all, was.by_class?.[k], v)
    for (const [k, v] of Object.entries(is.by_cluster ?? {})) {
      if (!clusters.has(k)) clusters.set(k, { ...nothing })
      add(clusters.get(k)!, was.by_cluster?.[k], v)
    }
    if (is.tenant) add(tenant!, was.tenant, is.tenant)
  }
  out.all = rateOf(all, seconds)
  if (tenant) out.tenant = rateOf(tenant, seconds)
  out.clusters = Object.fromEntries([...clusters].map(([k, v]) => [k, rateOf(v, seconds)]))
  return out
}

const rateOf = (s: Sum, seconds: number): Rate => ({ requests: s.requests / seconds, failed: s.failed / seconds, ms: s.requests > 0 ? (s.seconds * 1000) / s.requests : 0 })
