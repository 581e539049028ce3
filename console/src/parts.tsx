// The parts that all pages are made of.
import { signal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import type { Problem } from './api'
import type { Loaded } from './load'
import { words } from './format'

/** Said by a screen reader, and shown at the foot of the page for a while. */
export const notice = signal('')
let forget: ReturnType<typeof setTimeout> | undefined
export function announce(text: string) {
  notice.value = text
  clearTimeout(forget)
  forget = setTimeout(() => { notice.value = '' }, 8000)
}

let first = true

/** A page: its title is the document's, and takes the focus when one comes from another page. */
export function Page({ title, lead, actions, children }: { title: string, lead?: ComponentChildren, actions?: ComponentChildren, children: ComponentChildren }) {
  const head = useRef<HTMLHeadingElement>(null)
  useEffect(() => { document.title = `${title} - Sluice` }, [title])
  useEffect(() => {
    if (!first) head.current?.focus()
    first = false
  }, [])
  return (
    <>
      <div class="head">
        <div><h1 ref={head} tabIndex={-1}>{title}</h1>{lead && <p class="lead">{lead}</p>}</div>
        {actions && <div class="actions">{actions}</div>}
      </div>
      {children}
    </>
  )
}

export function Card({ title, note, children, wide }: { title: string, note?: ComponentChildren, children: ComponentChildren, wide?: boolean }) {
  const id = useId()
  return (
    <section class={wide ? 'card wide' : 'card'} aria-labelledby={id}>
      <div class="cardhead"><h2 id={id}>{title}</h2>{note && <span class="note">{note}</span>}</div>
      {children}
    </section>
  )
}

export function ProblemBox({ problem, again }: { problem: Problem, again?: () => void }) {
  return (
    <div class="problem" role="alert">
      <p><strong>{problem.title}</strong></p>
      <p>{problem.detail}</p>
      {problem.errors && problem.errors.length > 1 && <ul>{problem.errors.map(e => <li>{e.location}: {e.message}</li>)}</ul>}
      <p>{problem.action}</p>
      <p class="note">{problem.code}{problem.instance ? `, ${problem.instance}` : ''}</p>
      {again && <button type="button" onClick={again}>Try again</button>}
    </div>
  )
}

/** What was read, or that it is being read, or why it cannot be; old values stay below a problem. */
export function Show<T>({ of, children }: { of: Loaded<T>, children: (value: T) => ComponentChildren }) {
  return (
    <>
      {of.problem && <ProblemBox problem={of.problem} again={of.again} />}
      {of.value !== undefined ? children(of.value) : of.loading && <p class="loading" role="status">Reading...</p>}
    </>
  )
}

/** A page of something by its name: until it is read, or when it cannot be, the name is the title. */
export function Named<T>({ of, name, children }: { of: Loaded<T>, name: string, children: (value: T) => ComponentChildren }) {
  if (of.value === undefined) return <Page title={name}><Show of={of}>{() => null}</Show></Page>
  return <Show of={of}>{children}</Show>
}

export const Empty = ({ children }: { children: ComponentChildren }) => <p class="empty">{children}</p>

const tones: Record<string, string> = {
  active: 'good', live: 'good', flipped: 'good', done: 'good', running: 'busy', healthy: 'good',
  preparing: 'busy', copying: 'busy', catching_up: 'busy', verifying: 'busy', moving: 'busy', draining: 'busy', intended: 'busy', closing: 'busy', retiring: 'busy',
  cutover: 'hot', aborting: 'hot', paused: 'hot', stopped: 'hot', skipped: 'plain', waiting: 'plain', refused: 'hot',
  failed: 'bad', vanished: 'bad', unknown: 'bad', aborted: 'plain', rolled_back: 'plain',
}
export const State = ({ of }: { of: string }) => <span class={`state ${tones[of] ?? 'plain'}`}>{words(of)}</span>

/** Names and values. */
export function Facts({ rows }: { rows: [string, ComponentChildren][] }) {
  return <dl class="facts">{rows.filter(([, v]) => v !== undefined && v !== null && v !== '' && v !== false).map(([k, v]) => <div><dt>{k}</dt><dd>{v}</dd></div>)}</dl>
}

/** A table that scrolls by itself where it is too wide, with the keyboard too. */
export function Table({ label, head, children }: { label: string, head: string[], children: ComponentChildren }) {
  return (
    <div class="scroll" role="region" aria-label={label} tabIndex={0}>
      <table>
        <caption class="hidden">{label}</caption>
        <thead><tr>{head.map(h => <th scope="col">{h}</th>)}</tr></thead>
        <tbody>{children}</tbody>
      </table>
    </div>
  )
}

export function Pager({ pages, next }: { pages: { number: number, next: (c: string) => void, back: () => void }, next?: string }) {
  if (pages.number === 1 && !next) return null
  return (
    <nav class="pager" aria-label="Pages">
      <button type="button" disabled={pages.number === 1} onClick={pages.back}>Previous</button>
      <span>page {pages.number}</span>
      <button type="button" disabled={!next} onClick={() => next && pages.next(next)}>Next</button>
    </nav>
  )
}

export function Bar({ done, total, label }: { done: number, total: number, label: string }) {
  const share = total > 0 ? Math.min(1, done / total) : 0
  return <progress max={1} value={share} aria-label={label}>{Math.round(share * 100)} %</progress>
}

/** A command line, with a button that copies it. */
export function Command({ text }: { text: string }) {
  const [copied, set] = useState(false)
  const copy = async () => {
    await navigator.clipboard.writeText(text)
    set(true)
    announce('The command is copied.')
    setTimeout(() => set(false), 2000)
  }
  return (
    <div class="command">
      <code>{text}</code>
      <button type="button" onClick={() => void copy()} aria-label={`Copy the command ${text}`}>{copied ? 'Copied' : 'Copy'}</button>
    </div>
  )
}
