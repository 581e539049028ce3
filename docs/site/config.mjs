// The site of the manual: the pages of the repository as they are, with a search that
// needs no server. Pages stay plain Markdown for a code host; what the site needs beyond
// that is done here, to the links.
import fs from 'node:fs'
import path from 'node:path'

const root = process.env.SLUICE_ROOT
if (!root) throw new Error('SLUICE_ROOT must name the repository; make docs-site sets it')

// As code hosts make an anchor of a heading, so that a link works in both places.
const slugify = s => s.trim().toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-')

// A README is the index of its folder here. A link to a file that is no page, such as code
// or a result, becomes its name: the site does not have the file. It must exist.
function links(md) {
  // Two braces in a text are two braces, and no expression of the builder's.
  for (const rule of ['text', 'code_inline']) {
    const plain = md.renderer.rules[rule]
    md.renderer.rules[rule] = (...a) => plain(...a).replace(/\{\{/g, '&#123;&#123;')
  }
  md.core.ruler.push('sluice_links', state => {
    for (const block of state.tokens) {
      let dropped = 0
      for (const t of block.children ?? []) {
        if (t.type === 'link_close' && dropped > 0) { dropped--; t.hidden = true; t.type = 'text'; t.content = ''; t.tag = ''; t.nesting = 0 }
        if (t.type !== 'link_open') continue
        const href = t.attrGet('href') ?? ''
        if (/^[a-z]+:/.test(href) || href.startsWith('#')) continue
        const [file, anchor] = href.split('#')
        if (file.endsWith('.md')) {
          t.attrSet('href', file.replace(/README\.md$/, 'index.md') + (anchor ? '#' + anchor : ''))
          continue
        }
        const from = path.dirname(state.env.relativePath ?? '')
        if (!fs.existsSync(path.join(root, from, file))) {
          throw new Error(`${state.env.relativePath}: ${href} does not exist`)
        }
        dropped++
        t.type = 'text'; t.content = ''; t.tag = ''; t.nesting = 0
      }
    }
  })
}

const page = (text, link) => ({ text, link: '/' + link })

export default {
  title: 'Sluice',
  description: 'Live tenant moves between OpenSearch clusters',
  lang: 'en',
  outDir: path.join(root, 'dist', 'site'),
  ignoreDeadLinks: [/^https?:\/\/(localhost|127\.0\.0\.1)/], // addresses that an example shows
  lastUpdated: false,
  metaChunk: true,
  markdown: { anchor: { slugify }, toc: { slugify }, headers: { slugify }, config: links },
  themeConfig: {
    search: { provider: 'local' },
    outline: [2, 3],
    sidebar: [
      { text: 'Begin', items: [page('What it is', ''), page('Concepts', 'docs/concepts'), page('Tutorial', 'docs/tutorial'), page('Questions', 'docs/faq'), page('Other ways', 'docs/comparison')] },
      { text: 'Move', items: [page('Moves', 'docs/moves'), page('Waves', 'docs/waves'), page('Applying files', 'docs/apply')] },
      { text: 'Set up', items: [page('Clusters', 'docs/clusters'), page('Tenants', 'docs/tenants'), page('Security', 'docs/security'), page('Stores', 'docs/stores/')] },
      { text: 'How to', items: [page('All', 'docs/howto/'), page('Table: inside Sluice', 'docs/howto/store-embedded'), page('Table: etcd', 'docs/howto/store-etcd'), page('Table: Consul', 'docs/howto/store-consul'), page('Table: Redis', 'docs/howto/store-redis'), page('Table: OpenSearch', 'docs/howto/store-opensearch'), page('Operators', 'docs/howto/api-authentication'), page('Clients', 'docs/howto/client-authentication'), page('Clusters', 'docs/howto/cluster-authentication'), page('Configuration', 'docs/howto/reload'), page('Backup', 'docs/howto/backup')] },
      { text: 'Operate', items: [page('Running it', 'docs/running'), page('Several fleets', 'docs/contexts'), page('Capacity', 'docs/capacity'), page('Performance', 'docs/performance'), page('Scale', 'docs/scale'), page('Runbook', 'docs/runbook'), page('Doctor', 'docs/doctor'), page('Console', 'docs/console'), page('Observing', 'docs/observing'), page('Restarts', 'docs/restarts'), page('Upgrades', 'docs/upgrades'), page('A proxy of your own', 'docs/fleet')] },
      { text: 'Reference', items: [page('Commands', 'docs/commands'), page('Configuration', 'docs/configuration'), page('API', 'docs/api'), page('Endpoints', 'docs/endpoints'), page('Errors', 'docs/errors'), page('Metrics', 'docs/metrics'), page('Clients', 'docs/clients')] },
      { text: 'Why', items: [page('Correctness', 'docs/correctness'), page('Architecture', 'ARCHITECTURE'), page('Contributing', 'CONTRIBUTING'), page('Changes', 'CHANGELOG')] },
    ].map(group => ({ ...group, items: group.items.filter(i => i.link === '/' || fs.existsSync(path.join(root, i.link.endsWith('/') ? i.link + 'README.md' : i.link + '.md'))) })),
  },
}
