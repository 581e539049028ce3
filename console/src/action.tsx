// What somebody does: asked back, with what will happen and the command that does the
// same, and refused here already to whoever may not.
import type { ComponentChildren } from 'preact'
import { useEffect, useId, useRef, useState } from 'preact/hooks'
import { caller, Failure, may, type Problem, type Role } from './api'
import { announce, Command, ProblemBox } from './parts'

interface Asked {
  label: string
  title: string
  says: string[] // what will happen
  command: string
  confirm: string // on the button that does it
  run: (key: string) => Promise<string | void> // says what has happened
  needs?: Role
  danger?: boolean
  primary?: boolean
  unavailable?: string // why it cannot be done now
  ready?: boolean // what the form asks for is there
  children?: ComponentChildren
}

export function Action(a: Asked) {
  const [open, set] = useState(false)
  const role = a.needs ?? 'operator'
  const why = !may(role) ? `needs the role ${role}${caller.value ? `, you have ${caller.value.role}` : ''}` : a.unavailable
  const id = useId()
  const button = useRef<HTMLButtonElement>(null)
  return (
    <>
      <button ref={button} type="button" class={a.danger ? 'danger' : a.primary ? 'primary' : ''} disabled={!!why} aria-describedby={why ? id : undefined} onClick={() => set(true)}>{a.label}</button>
      {why && <span id={id} class="hidden">{a.label} {why}</span>}
      {open && <Confirm {...a} close={() => { set(false); button.current?.focus() }} />}
    </>
  )
}

/** The least role that an action of the page needs and the caller lacks, for people. */
export function Lacks({ role = 'operator' as Role, what }: { role?: Role, what: string }) {
  if (may(role) || caller.value === undefined) return null
  return <p class="note">{what} needs the role {role}. {caller.value ? `You are ${caller.value.name}, a ${caller.value.role}.` : ''} Sign in with a token of that role, or use the command line.</p>
}

function Confirm(a: Asked & { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const [busy, setBusy] = useState(false)
  const [problem, setProblem] = useState<Problem>()
  const title = useId()
  // One key for what is confirmed more than once because no answer came: it is done once.
  // A refusal is final for its key, so what comes after it has another.
  const key = useRef({ command: '', key: '' })
  useEffect(() => dialog.current?.showModal(), [])

  const confirm = async (e: Event) => {
    e.preventDefault()
    if (key.current.command !== a.command) key.current = { command: a.command, key: crypto.randomUUID() }
    setBusy(true)
    setProblem(undefined)
    try {
      const said = await a.run(key.current.key)
      if (said) announce(said)
      dialog.current?.close()
    } catch (e) {
      if (!(e instanceof Failure)) throw e
      const { retryable, code } = e.problem
      if (!retryable && code !== 'outcome_unknown' && code !== 'unreachable') key.current.command = ''
      setProblem(e.problem)
      setBusy(false)
    }
  }
  return (
    <dialog ref={dialog} aria-labelledby={title} onClose={a.close}>
      <form onSubmit={e => void confirm(e)}>
        <h2 id={title}>{a.title}</h2>
        {a.says.map(s => <p>{s}</p>)}
        {a.children}
        <p class="note">The same from a shell:</p>
        <Command text={a.command} />
        {problem && <ProblemBox problem={problem} />}
        <div class="actions">
          <button type="button" onClick={() => dialog.current?.close()}>Cancel</button>
          <button type="submit" class={a.danger ? 'danger' : 'primary'} disabled={busy || a.ready === false}>{busy ? 'Working...' : a.confirm}</button>
        </div>
      </form>
    </dialog>
  )
}
