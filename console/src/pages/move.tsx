import { useEffect, useRef, useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { client, got, type Move } from '../api'
import { Lacks } from '../action'
import { Line, PauseDrawing, Steps, Timeline } from '../charts'
import { count, ended, flippedAt, millis, movePath, noteOf, place, rate, settled, shell, size, span, tenantPath, wavePath, when, words } from '../format'
import { useLoad } from '../load'
import { MoveActions } from '../moveactions'
import { announce, Bar, Card, Command, Empty, Facts, Named, Page, State } from '../parts'

interface Seen { at: number, rate: number, lag: number, pause: number }

export function MovePage() {
  const id = useRoute().params.id
  const move = useLoad(() => got(client.GET('/moves/{move}', { params: { path: { move: id } } })), [id], {
    on: (c, now) => {
      if (c.kind !== 'move' || c.name !== id) return undefined
      if (c.removed) return 'again'
      const next = c.value as Move
      return settled(next) ? 'again' : { ...next, rollback: now?.rollback }
    },
  })
  const [seen, see] = useState<Seen[]>([])
  const p = move.value?.progress, updated = move.value?.updated
  useEffect(() => see([]), [id])
  useEffect(() => {
    if (p && move.value && !settled(move.value)) see(s => [...s, { at: Date.now(), rate: p.rate, lag: p.dirty, pause: p.predicted_pause / 1e6 }].slice(-300))
  }, [updated])

  const stage = move.value?.stage, told = useRef({ id, stage })
  useEffect(() => {
    if (told.current.id === id && told.current.stage && stage && told.current.stage !== stage) announce(`The move of ${move.value!.partition} is ${words(stage)}.`)
    told.current = { id, stage }
  }, [id, stage])

  return (
    <Named of={move} name={id}>{m => (
      <Page title={`Move of ${m.partition}`} lead={<><State of={m.stage} /> {m.paused && <State of="paused" />} {place(m.from)} to {place(m.to)}</>} actions={<MoveActions move={m} changed={move.again} />}>
        <Lacks what="Changing a move" />
        {m.error && <p class="problem" role="alert">{m.error}</p>}
        <Card title="Stages" wide>
          <Steps stage={m.stage} timeline={m.timeline ?? []} />
          <TimelineNow move={m} />
        </Card>
        {!settled(m) && <Running move={m} seen={seen} />}
        {m.receipt ? <Receipt move={m} /> : settled(m) && <Card title="Receipt" wide><Empty>There is none: the move has not flipped.</Empty></Card>}
        <Card title="What it is">
          <Facts rows={[
            ['move', <code>{m.id}</code>], ['tenant', <a href={tenantPath(m.partition)}>{m.partition}</a>], ['from', place(m.from)], ['to', place(m.to)],
            ['asked for', when(m.created)], ['wave', m.wave && <a href={wavePath(m.wave)}>{m.wave}</a>],
            ['rolls back', m.rollback_of && <a href={movePath(m.rollback_of)}>{m.rollback_of}</a>], ['rolled back by', m.rolled_back_by && <a href={movePath(m.rolled_back_by)}>{m.rolled_back_by}</a>],
            ['can be rolled back', m.rollback && (m.rollback.possible ? (m.rollback.until ? `until ${when(m.rollback.until)}` : 'yes, until its old copy is retired') : `no: ${m.rollback.reason}`)],
            ['old copy', oldCopy(m)], ['copied by', m.copied_by && `${m.copied_by.method}: ${m.copied_by.reason}`],
            ['pause budget', span(m.options.pause_budget)], ['cutover deadline', span(m.options.cutover_deadline)], ['copy limit', [m.options.copy_rate > 0 && `${count(m.options.copy_rate)} documents a second`, m.options.copy_bytes > 0 && `${m.options.copy_bytes / 1e6} MB a second`].filter(Boolean).join(', ')],
            ['compared', m.options.verify], ['drivers so far', m.attempt > 1 && m.attempt],
          ]} />
          <p class="note">The same from a shell:</p>
          <Command text={`sluice moves ${settled(m) ? 'show' : 'watch'} ${shell(m.id)}`} />
        </Card>
      </Page>
    )}</Named>
  )
}

function oldCopy(m: Move) {
  if (!flippedAt(m)) return undefined
  if (m.kept) return 'left to you, as asked'
  if (m.stage === 'done') return m.trash_until ? `in the trash until ${when(m.trash_until)}` : 'removed'
  if (m.retire_requested || m.stage === 'retiring') return 'being removed'
  return m.retire_at ? `kept until ${when(m.retire_at)}` : 'kept until it is retired'
}

function TimelineNow({ move }: { move: Move }) {
  const [now, tick] = useState(Date.now())
  const open = !ended(move)
  useEffect(() => {
    if (!open) return
    const t = setInterval(() => tick(Date.now()), 1000)
    return () => clearInterval(t)
  }, [open])
  return <Timeline timeline={move.timeline ?? []} now={now} />
}

function Running({ move, seen }: { move: Move, seen: Seen[] }) {
  const p = move.progress, budget = move.options.pause_budget / 1e6
  return (
    <>
      <Card title="Documents">
        {p.step
          ? <><p class="big">{size(p.bytes)} <small>of {size(p.total_bytes ?? 0)}, {p.step}</small></p><Bar done={p.bytes} total={p.total_bytes ?? 0} label="Copied by snapshot" /></>
          : p.total > 0
            ? <><p class="big">{count(p.docs)} <small>of about {count(p.total)}, {size(p.bytes)}</small></p><Bar done={p.docs} total={p.total} label="Documents copied" /></>
            : <Empty>Not counted yet.</Empty>}
        <Facts rows={[
          ['rate', p.rate > 0 && `${rate(p.rate)} documents a second`], ['left, about', p.eta > 0 && span(p.eta)],
          ['compared', p.comparing && `${count(p.comparing.scanned)} of about ${count(p.comparing.total)}`],
          ['waits for', noteOf(move)], ['slowed by', p.slowed_by],
        ]} />
        <Line label="Rate" unit="documents a second" points={seen.map(s => ({ at: s.at, value: s.rate }))} show={rate} />
      </Card>
      <Card title="Lag">
        <p class="big">{count(p.dirty)} <small>documents written meanwhile and not taken over yet</small></p>
        <Facts rows={[['rounds of catching up', p.rounds > 0 && p.rounds], ['taken over so far', p.caught_up > 0 && count(p.caught_up)], ['cutovers tried', p.cutovers > 0 && p.cutovers]]} />
        <Line label="Lag" unit="documents" points={seen.map(s => ({ at: s.at, value: s.lag }))} show={count} />
      </Card>
      <Card title="Predicted pause" note={`budget ${millis(budget)}`}>
        <p class="big">{p.predicted_pause > 0 ? span(p.predicted_pause) : move.predicted ? span(move.predicted.pause) : 'not known yet'} <small>{p.predicted_pause > 0 ? 'if writes were closed now' : move.predicted ? `predicted at the beginning, by ${move.predicted.basis}` : ''}</small></p>
        <Line label="Predicted pause" unit="" points={seen.filter(s => s.pause > 0).map(s => ({ at: s.at, value: s.pause }))} show={millis} limit={budget} />
      </Card>
      <Card title="Laggards">
        {p.laggards?.length
          ? <ul class="plain">{p.laggards.map(l => <li><strong>{l.name}</strong> {l.reason === 'pending' ? 'has writes under way that came before' : 'has not applied the change yet'}, silent for {span(l.silent)}</li>)}</ul>
          : <Empty>No proxy is waited for.</Empty>}
      </Card>
    </>
  )
}

function Receipt({ move }: { move: Move }) {
  const r = move.receipt!, v = r.verification, p = r.pause
  const errors = Object.entries(p.errors ?? {})
  return (
    <>
      <Card title="The pause" note="from the receipt" wide>
        <PauseDrawing pause={p} budget={move.options.pause_budget / 1e6} />
        <Facts rows={[
          ['writes held', `${count(p.held_requests)}, ${count(p.refused)} refused`], ['cutovers tried', r.cutovers],
          ['errors that clients got', errors.length ? errors.map(([k, n]) => `${n} ${k}`).join(', ') : 'none, say the proxies'],
          ['did not tell', p.unanswered_proxies?.join(', ')], ['vanished', p.vanished_proxies?.join(', ')],
        ]} />
      </Card>
      <Card title="Receipt" note={when(flippedAt(move))}>
        <Facts rows={[
          ['documents', `${count(r.docs)} ${r.rollback_of ? 'brought back' : 'copied'}, ${size(r.bytes)}`], ['copied in', span(r.copy_time)], ['taken over from journals', `${count(r.caught_up)} in ${r.rounds} rounds`],
          ['compared', `${count(v.scanned)} by ${v.mode}; ${v.unsettled} differences left`], ['proxies waited for', r.instances?.join(', ')],
          ['fence of the old copy', r.fence], ['drivers', r.attempts > 1 && r.attempts],
          ['predicted', r.predicted && `${span(r.predicted.copy_time)} to copy, pause ${span(r.predicted.pause)}, by ${r.predicted.basis}`],
          ['shadow reads', r.shadow && `${count(r.shadow.equal)} equal, ${count(r.shadow.differing)} different`],
        ]} />
      </Card>
    </>
  )
}
