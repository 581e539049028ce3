import { useState } from 'preact/hooks'
import { useLocation, useRoute } from 'preact-iso'
import { client, got, type Move, type Tenant } from '../api'
import { Lacks } from '../action'
import { flippedAt, movePath, place, shell, span, tenantPath, when } from '../format'
import { useLoad, usePages } from '../load'
import { MoveActions, StartMove } from '../moveactions'
import { Card, Command, Empty, Facts, Named, Page, Pager, Show, State, Table } from '../parts'
import { TenantTraffic } from './overview'

export function Tenants() {
  const { query, route } = useLocation()
  const { cluster = '', label = '' } = query as Record<string, string>
  const [form, fill] = useState({ name: '', cluster, label })
  const pages = usePages([cluster, label])
  const list = useLoad(() => got(client.GET('/tenants', { params: { query: { limit: 50, cursor: pages.cursor, ...(cluster ? { cluster } : {}), ...(label ? { label: [label] } : {}) } } })), [cluster, label, pages.cursor], {
    // One that is shown has changed; what others there are is read again by somebody who turns the page.
    on: (c, now) => (c.kind === 'tenant' && now?.items.some(t => t.tenant === c.name)
      ? c.removed || !c.value ? 'again' : { ...now, items: now.items.map(t => (t.tenant === c.name ? { ...(c.value as Tenant), labels: t.labels } : t)) }
      : undefined),
  })
  const filter = (e: Event) => {
    e.preventDefault()
    if (form.name) return route(tenantPath(form.name))
    const q = new URLSearchParams()
    if (form.cluster) q.set('cluster', form.cluster)
    if (form.label) q.set('label', form.label)
    route(`/ui/tenants${q.size ? `?${q}` : ''}`)
  }
  const field = (key: 'name' | 'cluster' | 'label', label: string) => <label>{label}<input type="text" spellcheck={false} value={form[key]} onInput={e => fill({ ...form, [key]: e.currentTarget.value })} /></label>
  return (
    <Page title="Tenants" lead={cluster || label ? `Those ${cluster ? `on ${cluster}, or moving to it` : ''}${cluster && label ? ', ' : ''}${label ? `with the label ${label}` : ''}.` : 'In the order of their names.'}>
      <form class="filter" onSubmit={filter}>
        {field('name', 'Go to a tenant by its name')}{field('cluster', 'On cluster')}{field('label', 'With label, KEY=VALUE')}
        <button type="submit">Show</button>
      </form>
      <Show of={list}>{v => (
        <>
          {v.items.length === 0
            ? <Empty>{v.next ? 'None on this page; there may be some on the next.' : 'There is no such tenant.'}</Empty>
            : <Table label="Tenants" head={['Tenant', 'State', 'Place', 'Moving to', 'Labels']}>
              {v.items.map(t => (
                <tr>
                  <th scope="row"><a href={tenantPath(t.tenant)}>{t.tenant}</a></th><td><State of={t.phase} /></td><td>{place(t.placement)}</td>
                  <td>{t.moving_to && <a href={movePath(t.move ?? '')}>{place(t.moving_to)}</a>}</td><td>{Object.entries(t.labels ?? {}).map(([k, x]) => <span class="label">{k}={x}</span>)}</td>
                </tr>
              ))}
            </Table>}
          {!!v.unreadable && <p class="note">{v.unreadable} records of this page cannot be read: <code>sluice doctor</code> names them.</p>}
          <Pager pages={pages} next={v.next} />
        </>
      )}</Show>
    </Page>
  )
}

export function TenantPage() {
  const id = useRoute().params.id
  const tenant = useLoad(async () => {
    let etag: string | undefined
    const value = await got(client.GET('/tenants/{tenant}', { params: { path: { tenant: id } } }).then(a => { etag = a.response.headers.get('ETag') ?? undefined; return a }))
    return { value, etag }
  }, [id], { on: c => (c.kind === 'tenant' && c.name === id ? 'again' : undefined) })
  const moves = useLoad(() => got(client.GET('/moves', { params: { query: { tenant: id, limit: 20 } } })), [id], {
    pace: 2000,
    on: (c, now) => {
      const m = c.value as Move | undefined
      if (c.kind !== 'move' || !m || m.partition !== id) return undefined
      return now?.items.some(i => i.id === m.id) ? { ...now, items: now.items.map(i => (i.id === m.id ? m : i)) } : 'again'
    },
  })
  return (
    <Named of={tenant} name={id}>{({ value: t, etag }) => {
      const last = moves.value?.items.find(m => m.complete_epoch && m.to.cluster === t.placement.cluster && m.to.index === t.placement.index)
      return (
        <Page title={t.tenant} lead={<><State of={t.phase} /> at {place(t.placement)}{t.moving_to && <>, moving to {place(t.moving_to)}</>}</>} actions={<StartMove tenant={t} etag={etag} />}>
          <Lacks what="Moving a tenant" />
          <Card title="Where it is">
            <Facts rows={[
              ['cluster', <a href={`/ui/tenants?cluster=${encodeURIComponent(t.placement.cluster)}`}>{t.placement.cluster}</a>], ['kind', t.placement.kind.replaceAll('_', ' ')], ['index there', t.placement.index], ['clients call it', t.placement.logical],
              ['since', last ? when(flippedAt(last)) : t.incarnation === 0 ? 'it was registered' : 'longer ago than the moves below'],
              ['places so far', t.incarnation + 1], ['epoch', t.epoch],
              ['labels', Object.entries(t.labels ?? {}).map(([k, x]) => <span class="label">{k}={x}</span>)],
              ['old copy', t.previous && <>{place(t.previous)}, of <a href={movePath(t.previous_move ?? '')}>{t.previous_move}</a></>],
            ]} />
            <p class="note">The same from a shell:</p>
            <Command text={`sluice tenant show ${shell(t.tenant)}`} />
          </Card>
          <UnderWay moves={moves.value?.items} changed={moves.again} now={t.move} />
          <TenantTraffic tenant={t.tenant} />
          <Card title="History" wide>
            <Show of={moves}>{v => v.items.length === 0
              ? <Empty>It has never moved.</Empty>
              : <Table label={`Moves of ${t.tenant}, the newest first`} head={['Move', 'Stage', 'From', 'To', 'Asked for', 'Flipped', 'Longest hold']}>
                {v.items.map(m => (
                  <tr>
                    <th scope="row"><a href={movePath(m.id)}>{m.id}</a>{m.rollback_of && <span class="label">rollback</span>}</th><td><State of={m.stage} /></td><td>{place(m.from)}</td><td>{place(m.to)}</td>
                    <td>{when(m.created)}</td><td>{flippedAt(m) ? when(flippedAt(m)) : ''}</td><td class="num">{m.receipt ? span(m.receipt.pause.longest_ms * 1e6) : ''}</td>
                  </tr>
                ))}
              </Table>}
            </Show>
            {moves.value?.next && <p><a href={`/ui/moves?tenant=${encodeURIComponent(t.tenant)}`}>all of its moves</a></p>}
          </Card>
        </Page>
      )
    }}</Named>
  )
}

function UnderWay({ moves, now, changed }: { moves?: Move[], now?: string, changed: () => void }) {
  const m = now ? moves?.find(x => x.id === now) : undefined
  if (!m || !now) return null
  return (
    <Card title="Its move">
      <p><a href={movePath(m.id)}>{m.id}</a> <State of={m.stage} /> {m.paused && <State of="paused" />}</p>
      <div class="actions"><MoveActions move={m} changed={changed} /></div>
    </Card>
  )
}
