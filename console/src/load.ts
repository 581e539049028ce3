// What a page shows: read once, and kept current by events.
import { useEffect, useRef, useState } from 'preact/hooks'
import { Failure, token, type Problem } from './api'
import { onChange, type Change } from './live'

export interface Loaded<T> {
  value?: T
  problem?: Problem
  loading: boolean
  again: () => void
}

interface Following<T> {
  /** What an event makes of the value; 'again' reads anew, undefined leaves it. */
  on?: (c: Change, now: T | undefined) => T | 'again' | undefined
  /** The least time between two readings that events ask for, in milliseconds. */
  pace?: number
  /** Read again that often, in milliseconds. */
  every?: number
  /** False: not now. */
  when?: boolean
}

/** Reads when keys change. A value stays when a later reading fails, beside the problem. */
export function useLoad<T>(read: () => Promise<T>, keys: unknown[], follow: Following<T> = {}): Loaded<T> {
  const [state, set] = useState<{ value?: T, problem?: Problem, loading: boolean }>({ loading: true })
  const now = useRef<T | undefined>(undefined)
  const latest = useRef({ read, follow })
  latest.current = { read, follow }
  const again = useRef(() => {})

  useEffect(() => {
    let over = false, reading = false, wanted = false, last = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const take = (value: T) => { now.current = value; set({ value, loading: false }) }
    const load = async () => {
      if (latest.current.follow.when === false) return
      if (reading) { wanted = true; return }
      reading = true
      last = Date.now()
      try {
        const value = await latest.current.read()
        if (!over) take(value)
      } catch (e) {
        if (!over) set({ value: now.current, problem: e instanceof Failure ? e.problem : mistake(e), loading: false })
      }
      reading = false
      if (wanted && !over) { wanted = false; soon() }
    }
    const soon = () => {
      if (timer !== undefined) return
      timer = setTimeout(() => { timer = undefined; void load() }, Math.max(0, last + (latest.current.follow.pace ?? 1000) - Date.now()))
    }
    again.current = () => void load()
    now.current = undefined
    set({ loading: true })
    void load()
    const leave = onChange(c => {
      if (c.kind === 'reset') return soon()
      const next = latest.current.follow.on?.(c, now.current)
      if (next === 'again') soon()
      else if (next !== undefined) take(next)
    })
    const beat = follow.every ? setInterval(() => { if (!document.hidden) void load() }, follow.every) : undefined
    return () => { over = true; leave(); clearTimeout(timer); clearInterval(beat) }
  }, [...keys, token.value, follow.when])

  return { ...state, again: () => again.current() }
}

const mistake = (e: unknown): Problem => ({
  type: 'about:blank', title: 'This page has made a mistake.', status: 0, detail: String(e), code: 'page', retryable: false, action: 'Load the page anew; if it stays, use the command line.',
})

/** Cursors of the pages that led here. */
export function usePages(keys: unknown[]) {
  const [cursors, set] = useState<string[]>([])
  useEffect(() => set([]), keys)
  return {
    cursor: cursors.at(-1),
    number: cursors.length + 1,
    next: (cursor: string) => set([...cursors, cursor]),
    back: () => set(cursors.slice(0, -1)),
  }
}
