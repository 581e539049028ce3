import { useEffect, useState } from 'preact/hooks'
import { caller, client, got, may } from '../api'
import { Lacks } from '../action'
import { Line, type Point } from '../charts'
import { count, millis, shell, when } from '../format'
import { useLoad, usePages } from '../load'
import { Card, Command, Empty, Facts, Page, Pager, Show, State, Table } from '../parts'

export function Fleet() {
  const pages = usePages([])
  const list = useLoad(() => got(client.GET('/sessions', { params: { query: { limit: 100, cursor: pages.cursor } } })), [pages.cursor], {
    pace: 2000, every: 10_000, on: c => (c.kind === 'session' ? 'again' : undefined),
  })
  const names = (of: string[] | null | undefined) => (of?.length ? `${of.slice(0, 5).join(', ')}${of.length > 5 ? ` and ${of.length - 5} more` : ''}` : '')
  return (
    <Page title="Fleet" lead="Every process that holds a session, and those that vanished and are not accounted for.">
      <Show of={list}>{v => (
        <>
          {v.items.length === 0
            ? <Empty>No process holds a session.</Empty>
            : <Table label="Processes of the fleet" head={['Name', 'Kind', 'State', 'Build', 'Applied epoch', 'Writes pending of', 'Unresolved', 'Old reads', 'Journals', 'Tasks']}>
              {v.items.map(s => (
                <tr>
                  <th scope="row">{s.name}</th><td>{s.kind}</td><td><State of={s.state} /></td><td><code>{s.build}</code></td><td class="num">{s.applied ?? ''}</td>
                  <td>{names(s.pending)}</td><td>{names(s.unresolved)}</td><td>{names(s.old_reads)}</td><td class="num">{s.journals ?? ''}</td><td class="num">{s.tasks ?? ''}</td>
                </tr>
              ))}
            </Table>}
          <Pager pages={pages} next={v.next} />
        </>
      )}</Show>
      <p class="note">The same from a shell:</p>
      <Command text="sluice fleet list" />
    </Page>
  )
}

export function StorePage() {
  const store = useLoad(() => got(client.GET('/store')), [], { every: 2000 })
  const [points, add] = useState<Point[]>([])
  useEffect(() => {
    if (store.value?.healthy) add(p => [...p, { at: Date.now(), value: store.value!.latency_ms }].slice(-90))
  }, [store.value])
  return (
    <Page title="Store" lead="Where the placement table is. Without it nothing moves, and requests in the fresh mode are not decided.">
      <Show of={store}>{v => (
        <>
          <Card title="Health">
            <p class="big"><State of={v.healthy ? 'healthy' : 'failed'} /></p>
            {v.error && <p class="problem" role="alert">{v.error}</p>}
            <Facts rows={[['kind', v.kind], ['where', v.where], ['newest epoch', v.epoch && count(v.epoch)], ['asked by', <>a controller of build <code>{v.build}</code></>]]} />
          </Card>
          <Card title="Latency" note="of a linearizable read">
            <p class="big">{millis(v.latency_ms)}</p>
            <Line label="Latency" unit="" points={points} show={millis} />
          </Card>
          <Card title="More"><p>What the store guarantees, and whether it does, is asked from a shell:</p><Command text="sluice doctor store" /><p>The same from a shell:</p><Command text="sluice fleet store" /></Card>
        </>
      )}</Show>
    </Page>
  )
}

const outcomes = ['done', 'refused', 'unknown', 'intended'] as const

export function Audit() {
  const allowed = may('admin')
  const [form, fill] = useState({ who: '', target: '', outcome: '' })
  const [asked, ask] = useState(form)
  const pages = usePages([asked, caller.value])
  const list = useLoad(() => got(client.GET('/audit', { params: { query: {
    limit: 50, cursor: pages.cursor, ...(asked.who ? { who: asked.who } : {}), ...(asked.target ? { target: asked.target } : {}), ...(asked.outcome ? { outcome: asked.outcome as 'done' } : {}),
  } } })), [asked, pages.cursor], { when: allowed })
  const json = (name: string, v: unknown) => v !== undefined && <div><h3>{name}</h3><pre tabIndex={0}>{JSON.stringify(v, null, 1)}</pre></div>
  return (
    <Page title="Audit" lead="Every change that was asked for by the API, the newest first.">
      <Lacks role="admin" what="Reading the audit log" />
      {allowed && (
        <>
          <form class="filter" onSubmit={e => { e.preventDefault(); ask(form) }}>
            <label>Who<input type="text" spellcheck={false} value={form.who} onInput={e => fill({ ...form, who: e.currentTarget.value })} /></label>
            <label>Target, such as tenant/acme<input type="text" spellcheck={false} value={form.target} onInput={e => fill({ ...form, target: e.currentTarget.value })} /></label>
            <label>Outcome<select value={form.outcome} onChange={e => fill({ ...form, outcome: e.currentTarget.value })}><option value="">any</option>{outcomes.map(o => <option value={o}>{o}</option>)}</select></label>
            <button type="submit">Show</button>
          </form>
          <Show of={list}>{v => (
            <>
              {v.items.length === 0
                ? <Empty>Nothing of that kind has been asked for.</Empty>
                : <Table label="Changes that were asked for" head={['Time', 'Who', 'Role', 'Operation', 'Target', 'Outcome', 'What']}>
                  {v.items.map(e => (
                    <tr>
                      <th scope="row">{when(e.time)}</th><td>{e.who}</td><td>{e.role}</td><td>{e.operation}</td><td>{e.target}</td><td><State of={e.outcome} /> {e.code}</td>
                      <td><details><summary aria-label={`Details of ${e.operation} at ${when(e.time)}`}>details</summary><p class="note">request {e.request}</p>{json('Asked', e.asked)}{json('Before', e.before)}{json('After', e.after)}</details></td>
                    </tr>
                  ))}
                </Table>}
              <Pager pages={pages} next={v.next} />
            </>
          )}</Show>
          <p class="note">The same from a shell:</p>
          <Command text={['sluice audit', asked.who && `--who ${shell(asked.who)}`, asked.target && `--target ${shell(asked.target)}`, asked.outcome && `--outcome ${asked.outcome}`].filter(Boolean).join(' ')} />
        </>
      )}
    </Page>
  )
}
