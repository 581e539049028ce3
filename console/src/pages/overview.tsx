import { useState } from 'preact/hooks'
import { client, got, type Move, type Wave } from '../api'
import { Line, type Point } from '../charts'
import { count, millis, movePath, noteOf, place, rate, settled, wavePath } from '../format'
import { useLoad } from '../load'
import { Bar, Card, Empty, Facts, Page, ProblemBox, Show, State, Table } from '../parts'
import { useTraffic, type Traffic } from '../traffic'

export function Overview() {
  const traffic = useTraffic()
  const last = traffic.samples.at(-1)
  const moves = useLoad(() => got(client.GET('/moves', { params: { query: { active: true, limit: 50 } } })), [], {
    pace: 3000,
    on: (c, now) => {
      if (c.kind !== 'move') return undefined
      const m = c.value as Move | undefined
      const known = now?.items.some(i => i.id === c.name)
      if (!m || !known) return m && settled(m) ? undefined : 'again'
      if (settled(m)) return { ...now!, items: now!.items.filter(i => i.id !== m.id) }
      return { ...now!, items: now!.items.map(i => (i.id === m.id ? m : i)) }
    },
  })
  const waves = useLoad(() => got(client.GET('/waves', { params: { query: { limit: 20 } } })), [], { pace: 3000, on: c => (c.kind === 'wave' ? 'again' : undefined) })
  const sessions = useLoad(() => got(client.GET('/sessions', { params: { query: { limit: 1000 } } })), [], { every: 10_000 })
  const of = (kind: string, state: string) => sessions.value?.items.filter(s => s.kind === kind && s.state === state).length
  const open = (w: Wave) => w.state !== 'done' && w.state !== 'aborted'
  const vanished = sessions.value?.items.filter(s => s.state === 'vanished').length ?? 0
  return (
    <Page title="Overview" lead="What the fleet does now.">
      <ul class="tiles">
        <Tile name="tenants" value={last ? count(last.tenants) : '...'} to="/ui/tenants" />
        <Tile name="moves running" value={moves.value ? `${moves.value.items.length}${moves.value.next ? '+' : ''}` : '...'} to="/ui/moves" />
        <Tile name="requests a second" value={last ? rate(last.all.requests) : '...'} />
        <Tile name="writes held now" value={last ? count(last.held) : '...'} />
        <Tile name="proxies" value={of('proxy', 'live') ?? '...'} to="/ui/fleet" bad={vanished > 0 ? `${vanished} vanished` : undefined} />
        <Tile name="controllers" value={of('controller', 'live') ?? '...'} to="/ui/fleet" />
      </ul>
      {sessions.problem && <ProblemBox problem={sessions.problem} again={sessions.again} />}
      <Card title="Moves running" wide note={<a href="/ui/moves">all moves</a>}>
        <Show of={moves}>{v => v.items.length === 0
          ? <Empty>No move is under way. One is started from the page of its <a href="/ui/tenants">tenant</a>.</Empty>
          : <Table label="Moves that are under way" head={['Tenant', 'Stage', 'From', 'To', 'Documents', 'Waits for']}>
            {v.items.map(m => (
              <tr>
                <th scope="row"><a href={movePath(m.id)}>{m.partition}</a></th>
                <td><State of={m.paused ? 'paused' : m.stage} /></td><td>{place(m.from)}</td><td>{place(m.to)}</td>
                <td class="wide">{m.progress.total > 0 && <><Bar done={m.progress.docs} total={m.progress.total} label={`Documents of ${m.partition} copied`} /> {count(m.progress.docs)} / {count(m.progress.total)}</>}</td>
                <td>{m.progress.laggards?.map(l => l.name).join(', ') || noteOf(m)}</td>
              </tr>
            ))}
          </Table>}
        </Show>
      </Card>
      <Clusters traffic={traffic} />
      <Served traffic={traffic} />
      <Card title="Waves under way" note={<a href="/ui/waves">all waves</a>}>
        <Show of={waves}>{v => v.items.filter(open).length === 0
          ? <Empty>No wave is under way.</Empty>
          : <ul class="plain">{v.items.filter(open).map(w => <li><a href={wavePath(w.id)}>{w.plan || w.id}</a> <State of={w.state} /> {count(w.items)} tenants {w.reason && <span class="note">{w.reason}</span>}</li>)}</ul>}
        </Show>
      </Card>
    </Page>
  )
}

function Tile({ name, value, to, bad }: { name: string, value: string | number, to?: string, bad?: string }) {
  const inside = <><span class="value">{value}</span> <span class="name">{name}</span>{bad && <span class="state bad">{bad}</span>}</>
  return <li>{to ? <a href={to}>{inside}</a> : <div>{inside}</div>}</li>
}

function Clusters({ traffic }: { traffic: Traffic }) {
  const [counted, countThem] = useState(false)
  const clusters = useLoad(() => got(client.GET('/clusters', { params: { query: { limit: 100, tenants: counted } } })), [counted])
  const last = traffic.samples.at(-1)
  const most = Math.max(1e-9, ...Object.values(last?.clusters ?? {}).map(c => c.requests))
  return (
    <Card title="Clusters" wide note={!counted && <button type="button" onClick={() => countThem(true)}>Count tenants</button>}>
      <Show of={clusters}>{v => v.items.length === 0
        ? <Empty>There is no cluster yet: <code>sluice cluster add NAME URL</code> registers one.</Empty>
        : <>
          <Table label="Clusters and the load on them" head={['Cluster', 'Addresses', ...(counted ? ['Tenants'] : []), 'Requests a second', 'Mean time', 'Failed a second']}>
            {v.items.map(c => {
              const r = last?.clusters[c.name] ?? (last ? { requests: 0, failed: 0, ms: 0 } : undefined)
              return (
                <tr>
                  <th scope="row"><a href={`/ui/tenants?cluster=${encodeURIComponent(c.name)}`}>{c.name}</a></th>
                  <td>{(c.endpoints ?? []).join(', ')}</td>
                  {counted && <td class="num">{count(c.tenants ?? 0)}</td>}
                  <td class="wide">{r ? <><Bar done={r.requests} total={most} label={`Load of ${c.name}, of the busiest cluster's`} /> {rate(r.requests)}</> : '...'}</td>
                  <td class="num">{r && r.requests > 0 ? millis(r.ms) : ''}</td>
                  <td class="num">{r ? rate(r.failed) : ''}</td>
                </tr>
              )
            })}
          </Table>
          {v.next && <p class="note">The first {v.items.length} are shown.</p>}
        </>}
      </Show>
    </Card>
  )
}

const series = (traffic: Traffic, f: (s: Traffic['samples'][number]) => number): Point[] => traffic.samples.map(s => ({ at: s.at, value: f(s) }))

function Served({ traffic }: { traffic: Traffic }) {
  const last = traffic.samples.at(-1)
  return (
    <Card title="Requests" note="of all tenants, at all proxies">
      {traffic.problem && <ProblemBox problem={traffic.problem} />}
      {traffic.begun && traffic.proxies === 0
        ? <Empty>No proxy is running: <code>sluice proxy</code> starts one.</Empty>
        : <>
          <Line label="Requests" unit="a second" points={series(traffic, s => s.all.requests)} show={rate} />
          {last && <Facts rows={[['failed', `${rate(last.all.failed)} a second`], ['mean time', last.all.requests > 0 && millis(last.all.ms)], ['under way', count(last.underWay)], ['did not tell', last.silent.join(', ')]]} />}
        </>}
    </Card>
  )
}

/** Live traffic of one tenant, or what is needed to see it. */
export function TenantTraffic({ tenant }: { tenant: string }) {
  const traffic = useTraffic(tenant)
  const last = traffic.samples.at(-1)
  const counted = !!last?.tenant
  return (
    <Card title="Live traffic" note={counted ? 'of this tenant, at all proxies' : 'of all tenants'} wide>
      {traffic.problem && <ProblemBox problem={traffic.problem} />}
      {traffic.begun && traffic.proxies === 0 && <Empty>No proxy is running.</Empty>}
      {last && !counted && (
        <p class="note">The proxies do not count this tenant by itself, so this is what all tenants ask for. They do with <code>telemetry.metrics_tenants</code>: each counts the first so many tenants that send it requests.</p>
      )}
      <Line label={counted ? `Requests of ${tenant}` : 'Requests of all tenants'} unit="a second" points={series(traffic, s => (counted ? s.tenant ?? s.all : s.all).requests)} show={rate} />
      {last && <Facts rows={[['failed', `${rate((last.tenant ?? last.all).failed)} a second`], ['mean time', (last.tenant ?? last.all).requests > 0 && millis((last.tenant ?? last.all).ms)], ['writes held now, of all tenants', count(last.held)]]} />}
    </Card>
  )
}

