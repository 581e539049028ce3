// Numbers, times and places as people read them.
import type { Move, Place } from './api'

export const count = (n: number) => Math.round(n).toLocaleString('en')

export function rate(n: number): string {
  if (n >= 100) return count(n)
  return n >= 10 ? n.toFixed(0) : n.toFixed(1)
}

export function size(n: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB']
  let i = 0
  for (; n >= 1024 && i < units.length - 1; i++) n /= 1024
  return `${i === 0 ? n : n.toFixed(1)} ${units[i]}`
}

/** A duration of nanoseconds. */
export const span = (ns: number) => millis(ns / 1e6)

export function millis(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`
  if (ms < 1000) return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
  const s = ms / 1000
  if (s < 60) return `${s.toFixed(1)} s`
  if (s < 3600) return `${Math.floor(s / 60)} min ${Math.floor(s % 60)} s`
  if (s < 86400) return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`
  return `${Math.floor(s / 86400)} d ${Math.floor((s % 86400) / 3600)} h`
}

export function when(iso: string | undefined): string {
  const t = iso ? new Date(iso) : undefined
  return t && t.getFullYear() > 1 ? t.toLocaleString('sv') : 'unknown'
}

export function place(p: Place | undefined): string {
  if (!p) return 'nowhere'
  return p.kind === 'dedicated_cluster' ? `${p.cluster} (whole cluster)` : `${p.cluster}/${p.index ?? ''}${p.kind === 'shared_index' ? ' (shared)' : ''}`
}

/** The stages of a move that goes well, in their order. */
export const stages = ['preparing', 'copying', 'catching_up', 'verifying', 'cutover', 'flipped'] as const

export const words = (s: string) => s.replaceAll('_', ' ')

const over = ['flipped', 'retiring', 'done', 'rolled_back', 'aborted', 'failed']
export const settled = (m: Move) => over.includes(m.stage)

export const ended = (m: Move) => ['done', 'rolled_back', 'aborted', 'failed'].includes(m.stage)

/** When the move flipped; undefined: it has not. */
export function flippedAt(m: Move): string | undefined {
  return (m.receipt?.timeline ?? m.timeline ?? []).concat(m.timeline ?? []).find(t => t.stage === 'flipped')?.started
}

/** What the move waits for. That it was paused stays in its record until the next thing happens. */
export const noteOf = (m: Move) => (!m.paused && m.progress.note?.startsWith('paused:') ? '' : m.progress.note ?? '')

/** An argument as a shell takes it. */
export const shell = (s: string) => (/^[A-Za-z0-9_./:@%+=,-]+$/.test(s) && !s.startsWith('-') ? s : `'${s.replaceAll("'", `'\\''`)}'`)

export const tenantPath = (t: string) => `/ui/tenants/${encodeURIComponent(t)}`
export const movePath = (m: string) => `/ui/moves/${encodeURIComponent(m)}`
export const wavePath = (w: string) => `/ui/waves/${encodeURIComponent(w)}`
