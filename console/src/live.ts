// What changes in the fleet, by server-sent events. They are fetched, because a browser's
// EventSource sends no token.
import { effect, signal } from '@preact/signals'
import { createParser } from 'eventsource-parser'
import { headers, token } from './api'

export interface Change {
  kind: 'tenant' | 'move' | 'wave' | 'session' | 'reset' // reset: something may have been missed, read anew
  name: string
  removed?: boolean
  value?: unknown
}

export type Connection = 'connecting' | 'live' | 'reconnecting' | 'offline' | 'refused'
export const connection = signal<Connection>('connecting')

const listeners = new Set<(c: Change) => void>()

export function onChange(f: (c: Change) => void): () => void {
  listeners.add(f)
  return () => { listeners.delete(f) }
}

const tell = (c: Change) => { for (const f of [...listeners]) f(c) }

const patience = 40_000 // the server says something every 15 s

const visible = () => new Promise<void>(done => {
  if (!document.hidden) return done()
  document.addEventListener('visibilitychange', () => done(), { once: true })
})

/** Follows the events for as long as the page is open. */
export function follow(): void {
  let current: AbortController | undefined
  let last = ''
  let wake = () => {}
  const wait = (ms: number) => new Promise<void>(done => { wake = done; setTimeout(done, ms) })

  const once = async (stop: AbortController) => {
    const heard: { timer?: ReturnType<typeof setTimeout> } = {}
    const alive = () => {
      clearTimeout(heard.timer)
      heard.timer = setTimeout(() => stop.abort(), patience)
    }
    alive()
    try {
      const r = await fetch('/api/v1/events', { headers: { ...headers(), ...(last ? { 'Last-Event-ID': last } : {}) }, signal: stop.signal })
      if (!r.ok || !r.body) return r.status
      const parser = createParser({
        onEvent(e) {
          if (e.id) last = e.id
          const kind = e.event ?? ''
          connection.value = 'live'
          if (kind === 'ready' || kind === 'reset') tell({ kind: 'reset', name: '' })
          else tell({ kind: kind as Change['kind'], ...JSON.parse(e.data) })
        },
      })
      if (last) connection.value = 'live' // resumed: there may be nothing that was missed
      const text = r.body.pipeThrough(new TextDecoderStream()).getReader()
      for (;;) {
        const { done, value } = await text.read()
        if (done) return r.status
        alive()
        parser.feed(value)
      }
    } catch {
      return 0
    } finally {
      clearTimeout(heard.timer)
    }
  }

  const run = async () => {
    for (let failures = 0; ; ) {
      await visible()
      current = new AbortController()
      const status = await once(current)
      if (document.hidden) {
        connection.value = 'connecting'
        continue
      }
      if (status === 401 || status === 403) {
        connection.value = 'refused'
        await wait(60_000) // or until somebody signs in
        continue
      }
      failures = connection.value === 'live' ? 0 : failures + 1
      connection.value = navigator.onLine ? 'reconnecting' : 'offline'
      await wait(Math.min(500 * 2 ** failures, 10_000))
    }
  }
  // A browser has few connections for one host, so a tab that nobody looks at keeps none.
  document.addEventListener('visibilitychange', () => { if (document.hidden) current?.abort() })
  // A stream that has outlived the interruption may have lost something on the way.
  addEventListener('online', () => { current?.abort(); wake() })
  addEventListener('offline', () => { connection.value = 'offline' })
  // Another token is another connection.
  let known = token.value
  effect(() => {
    if (token.value === known) return
    known = token.value
    current?.abort()
    wake()
  })
  void run()
}
