import { useLocation } from 'preact-iso'
import { client, got, type Move } from '../api'
import { flippedAt, movePath, place, span, tenantPath, when } from '../format'
import { useLoad, usePages } from '../load'
import { Empty, Page, Pager, Show, State, Table } from '../parts'

export function Moves() {
  const { query } = useLocation()
  const { tenant = '', wave = '', active = '' } = query as Record<string, string>
  const pages = usePages([tenant, wave, active])
  const list = useLoad(() => got(client.GET('/moves', { params: { query: { limit: 50, cursor: pages.cursor, active: active === 'true', ...(tenant ? { tenant } : {}), ...(wave ? { wave } : {}) } } })), [tenant, wave, active, pages.cursor], {
    pace: 3000,
    on: (c, now) => {
      if (c.kind !== 'move') return undefined
      const m = c.value as Move | undefined
      if (m && now?.items.some(i => i.id === m.id)) return { ...now, items: now.items.map(i => (i.id === m.id ? m : i)) }
      return pages.number === 1 ? 'again' : undefined
    },
  })
  const at = (a: string) => {
    const q = new URLSearchParams(Object.entries({ tenant, wave, active: a }).filter(([, v]) => v))
    return `/ui/moves${q.size ? `?${q}` : ''}`
  }
  return (
    <Page title="Moves" lead={tenant ? `Of ${tenant}, the newest first.` : wave ? `Of the wave ${wave}, the newest first.` : 'The newest first.'}>
      <nav class="tabs" aria-label="Which moves">
        <a href={at('')} aria-current={active ? undefined : 'page'}>all</a><a href={at('true')} aria-current={active ? 'page' : undefined}>under way</a>
      </nav>
      <Show of={list}>{v => (
        <>
          {v.items.length === 0
            ? <Empty>There is no such move. One is started from the page of its <a href="/ui/tenants">tenant</a>.</Empty>
            : <Table label="Moves" head={['Move', 'Tenant', 'Stage', 'From', 'To', 'Asked for', 'Flipped', 'Longest hold']}>
              {v.items.map(m => (
                <tr>
                  <th scope="row"><a href={movePath(m.id)}>{m.id}</a>{m.rollback_of && <span class="label">rollback</span>}</th><td><a href={tenantPath(m.partition)}>{m.partition}</a></td>
                  <td><State of={m.paused ? 'paused' : m.stage} /></td><td>{place(m.from)}</td><td>{place(m.to)}</td><td>{when(m.created)}</td><td>{flippedAt(m) ? when(flippedAt(m)) : ''}</td>
                  <td class="num">{m.receipt ? span(m.receipt.pause.longest_ms * 1e6) : ''}</td>
                </tr>
              ))}
            </Table>}
          <Pager pages={pages} next={v.next} />
        </>
      )}</Show>
    </Page>
  )
}
