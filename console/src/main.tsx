import { render } from 'preact'
import { useEffect, useRef, useState } from 'preact/hooks'
import { LocationProvider, Route, Router, useLocation } from 'preact-iso'
import { caller, Failure, identify, token, type Problem } from './api'
import { connection, follow } from './live'
import { notice, Page, ProblemBox } from './parts'
import { Audit, Fleet, StorePage } from './pages/fleet'
import { MovePage } from './pages/move'
import { Moves } from './pages/moves'
import { Overview } from './pages/overview'
import { TenantPage, Tenants } from './pages/tenants'
import { WavePage, Waves } from './pages/waves'
import './style.css'

const rooms = [['Overview', '/ui/'], ['Tenants', '/ui/tenants'], ['Moves', '/ui/moves'], ['Waves', '/ui/waves'], ['Fleet', '/ui/fleet'], ['Store', '/ui/store'], ['Audit', '/ui/audit']]

function App() {
  return (
    <LocationProvider scope="/ui">
      <a class="skip" href="#main">Skip to the content</a>
      <Header />
      <Banner />
      <main id="main" tabIndex={-1}>{caller.value === null ? <SignInPage /> : caller.value === undefined ? <Knocking /> : <Rooms />}</main>
      <div class="notice" role="status" aria-live="polite">{notice.value}</div>
    </LocationProvider>
  )
}

function Rooms() {
  return (
    <Router>
      <Route path="/ui" component={Overview} />
      <Route path="/ui/tenants" component={Tenants} />
      <Route path="/ui/tenants/:id" component={TenantPage} />
      <Route path="/ui/moves" component={Moves} />
      <Route path="/ui/moves/:id" component={MovePage} />
      <Route path="/ui/waves" component={Waves} />
      <Route path="/ui/waves/:id" component={WavePage} />
      <Route path="/ui/fleet" component={Fleet} />
      <Route path="/ui/store" component={StorePage} />
      <Route path="/ui/audit" component={Audit} />
      <Route default component={Nowhere} />
    </Router>
  )
}

const Nowhere = () => <Page title="Nothing is here"><p>There is no such page. <a href="/ui/">The overview</a> leads to all that there are.</p></Page>

function Header() {
  const { path } = useLocation()
  const [open, set] = useState(false)
  useEffect(() => set(false), [path])
  const here = (to: string) => (to === '/ui/' ? path === '/ui/' || path === '/ui' : path === to || path.startsWith(`${to}/`))
  return (
    <header>
      <a class="brand" href="/ui/"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M5 11h8M19 11h8M5 21h8M19 21h8" /><path class="gate" d="M16 5v22" /></svg>Sluice</a>
      <button type="button" class="menu" aria-expanded={open} aria-controls="rooms" onClick={() => set(!open)}>Menu</button>
      <nav id="rooms" class={open ? 'open' : ''} aria-label="Main">{rooms.map(([name, to]) => <a href={to} aria-current={here(to) ? 'page' : undefined}>{name}</a>)}</nav>
      <div class="who"><Connection /><Who /></div>
    </header>
  )
}

const telling = { connecting: 'connecting', live: 'live', reconnecting: 'reconnecting', offline: 'offline', refused: 'not signed in' }

function Connection() {
  return <span class={`connection ${connection.value}`} role="status">{telling[connection.value]}</span>
}

function Banner() {
  const c = connection.value
  if (c !== 'reconnecting' && c !== 'offline') return null
  return <p class="banner">{c === 'offline' ? 'This device is offline.' : 'The connection to the controller is lost; trying again.'} What is shown is what was known last.</p>
}

function Who() {
  const [open, set] = useState(false)
  const button = useRef<HTMLButtonElement>(null)
  const w = caller.value
  const leave = () => { token.value = ''; caller.value = undefined; void identify().catch(() => {}) }
  return (
    <>
      {w && <span class="caller">{w.name} <span class="label">{w.role}</span></span>}
      {token.value ? <button type="button" onClick={leave}>Sign out</button> : <button ref={button} type="button" onClick={() => set(true)}>Sign in</button>}
      {open && <SignInDialog close={() => { set(false); button.current?.focus() }} />}
    </>
  )
}

function SignInDialog({ close }: { close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  return (
    <dialog ref={dialog} aria-labelledby="signin" onClose={close}>
      <h2 id="signin">Sign in</h2>
      <SignIn done={() => dialog.current?.close()} cancel={() => dialog.current?.close()} />
    </dialog>
  )
}

function SignIn({ done, cancel }: { done: () => void, cancel?: () => void }) {
  const [text, set] = useState('')
  const [problem, fail] = useState<Problem>()
  const submit = async (e: Event) => {
    e.preventDefault()
    try {
      await identify(text.trim())
      done()
    } catch (e) {
      if (e instanceof Failure) fail(e.problem)
    }
  }
  return (
    <form onSubmit={e => void submit(e)}>
      <label>Token<input type="password" autocomplete="off" required value={text} onInput={e => set(e.currentTarget.value)} /></label>
      <p class="note">It is kept in this tab until it is closed. Tokens are set up by <code>api.auth</code>; with an embedded etcd there is one of an admin in <code>api.token</code> of its data directory.</p>
      {problem && <ProblemBox problem={problem} />}
      <div class="actions">{cancel && <button type="button" onClick={cancel}>Cancel</button>}<button type="submit" class="primary">Sign in</button></div>
    </form>
  )
}

const SignInPage = () => <Page title="Sign in" lead="This API shows nothing to whoever it does not know."><section class="card"><SignIn done={() => {}} /></section></Page>

function Knocking() {
  const [problem, fail] = useState<Problem>()
  const ask = () => { fail(undefined); identify().catch(e => { if (e instanceof Failure && e.problem.status !== 401) fail(e.problem) }) }
  useEffect(ask, [])
  return problem ? <Page title="Sluice"><ProblemBox problem={problem} again={ask} /></Page> : <p class="loading" role="status">Reading...</p>
}

follow()
render(<App />, document.getElementById('app')!)
