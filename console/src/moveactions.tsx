// What can be done with a move, from its page and from its tenant's.
import { useRef, useState } from 'preact/hooks'
import { useLocation } from 'preact-iso'
import { client, got, type Move, type Schemas, type Tenant } from './api'
import { Action } from './action'
import { count, movePath, place, settled, shell, size, span, when } from './format'
import { useLoad } from './load'
import { ProblemBox } from './parts'

const keyed = (key: string) => ({ 'Idempotency-Key': key })

interface Asked { label: string, hint: string, value: string, set: (v: string) => void, number?: boolean }

function Field({ label, hint, value, set, number = true }: Asked) {
  return <label>{label}<input value={value} onInput={e => set(e.currentTarget.value)} {...(number ? { type: 'number', min: 0, step: 'any' } : { type: 'text', spellcheck: false })} /><small>{hint}</small></label>
}

/** Abort, pause, resume, bounds, rollback and retire: those that the move's stage leaves. */
export function MoveActions({ move, changed }: { move: Move, changed: () => void }) {
  const { route } = useLocation()
  const [now, setNow] = useState(false)
  const path = { move: move.id }
  const simple = (what: 'abort' | 'pause' | 'resume', said: string) => async (key: string) => {
    await got(client.POST(`/moves/{move}/${what}`, { params: { path, header: keyed(key) } }))
    changed()
    return said
  }
  const under = !settled(move) && !move.abort_requested && move.stage !== 'aborting'
  const soaking = !!move.retire_at && new Date(move.retire_at).getTime() > Date.now()
  return (
    <>
      {under && !move.paused && <Action label="Pause" title="Pause this move" confirm="Pause the move" command={`sluice moves pause ${move.id}`}
        says={[`The copy of ${move.partition} stops, and no cutover begins, until somebody resumes it.`, 'The tenant reads and writes as before. What was copied is kept.']} run={simple('pause', 'The move is paused.')} />}
      {under && move.paused && <Action label="Resume" title="Resume this move" confirm="Resume the move" command={`sluice moves resume ${move.id}`} primary
        says={[`The move of ${move.partition} goes on from where it was paused.`]} run={simple('resume', 'The move goes on.')} />}
      {under && <SetBounds move={move} changed={changed} />}
      {under && <Action label="Abort" title="Abort this move" confirm="Abort the move" danger command={`sluice moves abort ${move.id}`}
        says={[`${move.partition} stays at ${place(move.from)}.`, move.rollback_of ? 'The old copy at the target is kept.' : `What was copied to ${move.to.cluster} is removed. A later move copies anew.`]} run={simple('abort', 'The move is being aborted.')} />}
      {move.rollback?.possible && <Action label="Roll back" title={`Roll ${move.partition} back`} confirm="Roll back" danger command={`sluice moves rollback ${move.id}`}
        says={[`A new move takes ${move.partition} back to its old copy at ${place(move.from)}, with all that was written since.`, 'It has the same guarantees and a pause of its own. The copy that it leaves is kept.']}
        run={async key => {
          const back = await got(client.POST('/moves/{move}/rollback', { params: { path, header: keyed(key) } }))
          route(movePath(back.id))
          return 'The rollback is asked for.'
        }} />}
      {move.stage === 'flipped' && !move.retire_requested && <Action label="Retire" title="Remove the old copy" confirm="Remove the old copy" danger
        command={`sluice moves retire ${move.id}${now ? ' --now' : ''}`}
        says={[`The old copy of ${move.partition} at ${place(move.from)} is removed, or put into the trash if a trash time is set. After that it cannot be rolled back.`, ...(soaking ? [`Its soak time ends at ${when(move.retire_at)}.`] : [])]}
        run={async key => {
          await got(client.POST('/moves/{move}/retire', { params: { path, header: keyed(key) }, body: now ? { now } : {} }))
          changed()
          return 'The old copy is being removed.'
        }}>
        {soaking && <label class="check"><input type="checkbox" checked={now} onChange={e => setNow(e.currentTarget.checked)} /> do not wait for the end of the soak time</label>}
      </Action>}
    </>
  )
}

/** Changes what bounds a move that has not flipped. Only what differs from what holds now is asked for. */
function SetBounds({ move, changed }: { move: Move, changed: () => void }) {
  const now = { rate: move.options.copy_rate, megabytes: move.options.copy_bytes / 1e6, budget: move.options.pause_budget / 1e6, deadline: move.options.cutover_deadline / 1e6 }
  const [text, set] = useState<Partial<Record<keyof typeof now, string>>>({})
  const [eager, setEager] = useState<boolean>()
  const next = (k: keyof typeof now) => (text[k] !== undefined && text[k] !== '' && Number(text[k]) !== now[k] ? Number(text[k]) : undefined)
  const rate = next('rate'), megabytes = next('megabytes'), budget = next('budget'), deadline = next('deadline')
  const heedless = eager !== undefined && eager !== !!move.options.copy_eager ? eager : undefined
  const body = {
    ...(rate !== undefined ? { copy_rate: rate } : {}), ...(megabytes !== undefined ? { copy_bytes: megabytes * 1e6 } : {}), ...(heedless !== undefined ? { copy_eager: heedless } : {}),
    ...(budget !== undefined ? { pause_budget: Math.round(budget * 1e6) } : {}), ...(deadline !== undefined ? { cutover_deadline: Math.round(deadline * 1e6) } : {}),
  }
  const command = [`sluice moves set ${shell(move.id)}`, rate !== undefined && `--copy-rate ${rate}`, megabytes !== undefined && `--copy-bytes ${megabytes}`, heedless !== undefined && `--copy-throttle ${heedless ? 'off' : 'auto'}`,
    budget !== undefined && `--pause-budget ${budget}ms`, deadline !== undefined && `--cutover-deadline ${deadline}ms`].filter(Boolean).join(' ')
  const field = (k: keyof typeof now, label: string, hint: string) => <Field label={label} hint={hint} value={text[k] ?? String(now[k])} set={v => set(t => ({ ...t, [k]: v }))} />
  return (
    <Action label="Bounds..." title="Change the bounds of this move" confirm="Change the bounds" command={command} ready={Object.keys(body).length > 0}
      says={[`What is copied of ${move.partition} is kept. The copy heeds its bounds within a second, a cutover at its next try.`]}
      run={async key => {
        await got(client.PATCH('/moves/{move}', { params: { path: { move: move.id }, header: keyed(key) }, body }))
        set({})
        setEager(undefined)
        changed()
        return 'The bounds are changed.'
      }}>
      <div class="fields">
        {field('rate', 'Copy at most, in documents a second', '0: no limit')}
        {field('megabytes', 'Copy at most, in megabytes a second', '0: no limit')}
        {field('budget', 'Pause budget, in ms', 'no cutover begins while a longer pause is predicted')}
        {field('deadline', 'Cutover deadline, in ms', 'a longer cutover is left again')}
      </div>
      <label class="check"><input type="checkbox" checked={eager ?? !!move.options.copy_eager} onChange={e => setEager(e.currentTarget.checked)} /> copy without regard to the pressure of the clusters</label>
    </Action>
  )
}

/** Asks for a move of a tenant, after a dry run if somebody wants one. */
export function StartMove({ tenant, etag }: { tenant: Tenant, etag?: string }) {
  const { route } = useLocation()
  const clusters = useLoad(() => got(client.GET('/clusters', { params: { query: { limit: 1000 } } })), [])
  const [to, setTo] = useState('')
  const [index, setIndex] = useState('')
  const [budget, setBudget] = useState('')
  const [copyRate, setCopyRate] = useState('')
  const [retire, setRetire] = useState('')
  const hours = Number(retire), ms = Number(budget), docs = Number(copyRate)
  const body: Schemas['MoveRequest'] = {
    tenant: tenant.tenant, to, ...(index ? { index } : {}),
    options: { ...(ms > 0 ? { pause_budget: ms * 1e6 } : {}), ...(docs > 0 ? { copy_rate: docs } : {}), ...(hours > 0 ? { retire_after: hours * 3.6e12 } : {}) },
  }
  const command = ['sluice move', shell(tenant.tenant), '--to', to || 'CLUSTER', index && `--index ${shell(index)}`, ms > 0 && `--pause-budget ${ms}ms`, docs > 0 && `--copy-rate ${docs}`, hours > 0 && `--retire-after ${hours}h`].filter(Boolean).join(' ')
  return (
    <Action label="Move..." title={`Move ${tenant.tenant}`} confirm="Start the move" primary ready={to !== ''} command={command}
      unavailable={tenant.phase === 'active' ? undefined : 'has to wait: the tenant is moving'}
      says={[`${tenant.tenant} is copied from ${place(tenant.placement)} while it reads and writes. Its writes are held for a moment when it changes over. The old copy is kept, blocked for writes, so that it can be rolled back.`]}
      run={async key => {
        const move = await got(client.POST('/moves', { params: { header: { ...keyed(key), ...(etag ? { 'If-Match': etag } : {}) } }, body }))
        route(movePath(move.id))
        return 'The move is asked for.'
      }}>
      {clusters.problem && <ProblemBox problem={clusters.problem} again={clusters.again} />}
      <label>To cluster
        <select value={to} required onChange={e => setTo(e.currentTarget.value)}>
          <option value="">choose</option>
          {clusters.value?.items.map(c => <option value={c.name}>{c.name}</option>)}
        </select>
      </label>
      <details>
        <summary>More options</summary>
        <div class="fields">
          <Field label="Index there" hint="empty: a new name" value={index} set={setIndex} number={false} />
          <Field label="Pause budget, in ms" hint="empty: as the controller is configured" value={budget} set={setBudget} />
          <Field label="Copy at most, in documents a second" hint="empty: as the clusters can bear" value={copyRate} set={setCopyRate} />
          <Field label="Remove the old copy after, in hours" hint="empty: only when asked" value={retire} set={setRetire} />
        </div>
      </details>
      <DryRun body={body} />
    </Action>
  )
}

type Precheck = Schemas['PrecheckView']

function DryRun({ body }: { body: Schemas['MoveRequest'] }) {
  const [asked, ask] = useState<Schemas['MoveRequest']>()
  const number = useRef(0)
  const current = !!asked && JSON.stringify(asked) === JSON.stringify(body)
  const dry = useLoad(() => got(client.POST('/moves/precheck', { body: asked! })), [number.current], { when: !!asked })
  const of = dry.value as Precheck | undefined
  return (
    <div class="dry">
      <button type="button" disabled={!body.to} onClick={() => { number.current++; ask(body) }}>Dry run</button>
      <div role="status">
        {asked && dry.loading && <p class="note">Looking at both clusters...</p>}
        {current && dry.problem && <ProblemBox problem={dry.problem} />}
        {current && of && (
          <>
            <p><strong>{of.ok ? 'Nothing is in the way.' : 'Something is in the way.'}</strong> {count(of.docs)} documents, {size(of.bytes)}; OpenSearch {of.source_version} to {of.target_version}.
              {of.prediction && ` Copied in about ${span(of.prediction.copy_time)}; pause about ${span(of.prediction.pause)}.`}</p>
            <ul class="checks">{(of.checks ?? []).filter(c => c.verdict !== 'ok' || !of.ok).map(c => <li><strong>{c.verdict}</strong> {c.name}: {c.detail}</li>)}</ul>
          </>
        )}
      </div>
    </div>
  )
}
