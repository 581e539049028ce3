import { useState } from 'preact/hooks'
import { useRoute } from 'preact-iso'
import { client, got, type Wave } from '../api'
import { Action, Lacks } from '../action'
import { Shares } from '../charts'
import { count, movePath, shell, span, tenantPath, wavePath, when, words } from '../format'
import { useLoad, usePages } from '../load'
import { Card, Command, Empty, Facts, Named, Page, Pager, Show, State, Table } from '../parts'

export function Waves() {
  const pages = usePages([])
  const list = useLoad(() => got(client.GET('/waves', { params: { query: { limit: 50, cursor: pages.cursor } } })), [pages.cursor], {
    pace: 3000,
    on: (c, now) => {
      if (c.kind !== 'wave') return undefined
      const w = c.value as Wave | undefined
      return w && now?.items.some(i => i.id === w.id) ? { ...now, items: now.items.map(i => (i.id === w.id ? w : i)) } : pages.number === 1 ? 'again' : undefined
    },
  })
  return (
    <Page title="Waves" lead="Many moves as one piece of work, the newest first.">
      <Show of={list}>{v => (
        <>
          {v.items.length === 0
            ? <Empty>There is no wave yet: <code>sluice wave plan --all-from a --to b</code> shows what one would do.</Empty>
            : <Table label="Waves" head={['Wave', 'State', 'Made from', 'Tenants', 'Begun', 'Reason']}>
              {v.items.map(w => <tr><th scope="row"><a href={wavePath(w.id)}>{w.id}</a></th><td><State of={w.state} /></td><td>{w.plan}</td><td class="num">{count(w.items)}</td><td>{when(w.created)}</td><td>{w.reason}</td></tr>)}
            </Table>}
          <Pager pages={pages} next={v.next} />
        </>
      )}</Show>
    </Page>
  )
}

const states = ['waiting', 'moving', 'done', 'failed', 'skipped'] as const

export function WavePage() {
  const id = useRoute().params.id
  const wave = useLoad(() => got(client.GET('/waves/{wave}', { params: { path: { wave: id } } })), [id], {
    pace: 1500, on: c => ((c.kind === 'wave' && c.name === id) || c.kind === 'move' ? 'again' : undefined),
  })
  return (
    <Named of={wave} name={id}>{v => {
      const w = v.wave, counts = v.counts ?? {}
      return (
        <Page title={`Wave ${w.id}`} lead={<><State of={w.state} /> {w.plan}</>} actions={<WaveActions wave={w} done={counts.done ?? 0} changed={wave.again} />}>
          <Lacks what="Changing a wave" />
          <Card title="How far it is" wide note={v.eta > 0 ? `about ${span(v.eta)} left` : undefined}>
            <Shares label="Tenants" parts={[{ name: 'done', n: counts.done ?? 0, css: 'good' }, { name: 'moving', n: counts.moving ?? 0, css: 'busy' }, { name: 'waiting', n: counts.waiting ?? 0, css: 'wait' }, { name: 'skipped', n: counts.skipped ?? 0, css: 'plain' }, { name: 'failed', n: counts.failed ?? 0, css: 'bad' }]} />
            {w.reason && <p class="note">{w.reason}</p>}
          </Card>
          <Card title="What it is">
            <Facts rows={[
              ['begun', when(w.created)], ['tenants', count(w.items)], ['at once', w.limits.at_once], ['from one cluster', w.limits.per_source], ['to one cluster', w.limits.per_target],
              ['stops after', w.limits.stop_after < 0 ? 'no number of failures' : `${w.limits.stop_after} failures`], ['may begin moves', (w.windows ?? []).map(x => `${clock(x.from)} to ${clock(x.to)} ${x.zone}`).join(', ') || 'always'],
            ]} />
            <p class="note">The same from a shell:</p>
            <Command text={`sluice wave show ${shell(w.id)}`} />
          </Card>
          <Items id={id} />
        </Page>
      )
    }}</Named>
  )
}

const clock = (minutes: number) => `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`

function Items({ id }: { id: string }) {
  const [state, set] = useState<(typeof states)[number] | ''>('')
  const pages = usePages([id, state])
  const items = useLoad(() => got(client.GET('/waves/{wave}/items', { params: { path: { wave: id }, query: { limit: 50, cursor: pages.cursor, ...(state ? { state } : {}) } } })), [id, state, pages.cursor], {
    pace: 2000, on: c => (c.kind === 'wave' && c.name === id) || c.kind === 'move' ? 'again' : undefined,
  })
  return (
    <Card title="Tenants" wide>
      <div class="filter"><label>In state<select value={state} onChange={e => set(e.currentTarget.value as typeof state)}><option value="">any</option>{states.map(s => <option value={s}>{words(s)}</option>)}</select></label></div>
      <Show of={items}>{v => (
        <>
          {v.items.length === 0
            ? <Empty>{v.next ? 'None on this page; there may be some on the next.' : 'None.'}</Empty>
            : <Table label="Tenants of the wave, in its order" head={['Tenant', 'State', 'From', 'To', 'Move', 'Error']}>
              {v.items.map(i => <tr><th scope="row"><a href={tenantPath(i.partition)}>{i.partition}</a></th><td><State of={i.state} /></td><td>{i.from}</td><td>{i.to}</td><td>{i.move && <a href={movePath(i.move)}>{i.move}</a>}</td><td>{i.error}</td></tr>)}
            </Table>}
          <Pager pages={pages} next={v.next} />
        </>
      )}</Show>
    </Card>
  )
}

function WaveActions({ wave: w, done, changed }: { wave: Wave, done: number, changed: () => void }) {
  const [now, setNow] = useState(false)
  const path = { wave: w.id }
  const simple = (what: 'pause' | 'resume' | 'abort', said: string) => async (key: string) => {
    await got(client.POST(`/waves/{wave}/${what}`, { params: { path, header: { 'Idempotency-Key': key } } }))
    changed()
    return said
  }
  const over = w.state === 'done' || w.state === 'aborted'
  return (
    <>
      {w.state === 'running' && <Action label="Pause" title="Pause this wave" confirm="Pause the wave" command={`sluice wave pause ${w.id}`} says={['No more moves begin until somebody resumes it. Those under way go on.']} run={simple('pause', 'The wave is paused.')} />}
      {(w.state === 'paused' || w.state === 'stopped') && <Action label="Resume" title="Resume this wave" confirm="Resume the wave" primary command={`sluice wave resume ${w.id}`}
        says={['Moves begin again, within its limits.', ...(w.state === 'stopped' ? ['The failures so far do not count any more.'] : [])]} run={simple('resume', 'The wave goes on.')} />}
      {!over && w.state !== 'aborting' && <Action label="Abort" title="Abort this wave" confirm="Abort the wave" danger command={`sluice wave abort ${w.id}`}
        says={['No more moves begin, and those that have not flipped are aborted: their tenants stay where they are.', 'Tenants that have flipped stay at the target.']} run={simple('abort', 'The wave is being aborted.')} />}
      {done > 0 && <Action label="Retire" title="Remove the old copies" confirm="Remove the old copies" danger command={`sluice wave retire ${w.id}${now ? ' --now' : ''}`}
        says={[`The old copies of up to ${count(done)} tenants that have flipped are removed, or put into the trash if a trash time is set. After that they cannot be rolled back.`]}
        run={async key => {
          const all = await got(client.POST('/waves/{wave}/retire', { params: { path, header: { 'Idempotency-Key': key } }, body: now ? { now } : {} }))
          changed()
          return `${(all ?? []).length} tenants were looked at; their moves say what came of it.`
        }}><label class="check"><input type="checkbox" checked={now} onChange={e => setNow(e.currentTarget.checked)} /> do not wait for the ends of their soak times</label></Action>}
    </>
  )
}
