// Looks at the site that was built: every link leads to a page and an anchor that are
// there, and no page fetches anything from elsewhere. Links to other sites are listed,
// not followed. Usage: node check.mjs DIRECTORY
import fs from 'node:fs'
import path from 'node:path'

const site = path.resolve(process.argv[2])
const files = fs.readdirSync(site, { recursive: true }).map(String)
const html = files.filter(f => f.endsWith('.html') && f !== '404.html')
const text = s => s.replace(/&amp;/g, '&').replace(/&quot;/g, '"').replace(/&#39;/g, "'")
const bad = [], elsewhere = new Map()
const ids = new Map(html.map(f => [f, new Set([...fs.readFileSync(path.join(site, f), 'utf8').matchAll(/\sid="([^"]*)"/g)].map(m => text(m[1])))]))
let links = 0

for (const f of html) {
  // Code shows tags as text, with its brackets escaped; what is left are tags.
  for (const [, tag, attributes] of fs.readFileSync(path.join(site, f), 'utf8').matchAll(/<([a-z]+)\s([^>]*)>/g)) {
    for (const [, name, raw] of attributes.matchAll(/\b(href|src|srcset|action|poster|data)="([^"]*)"/g)) {
      const value = text(raw)
      if (/^(https?:)?\/\//.test(value)) {
        if (tag !== 'a') bad.push(`${f}: <${tag} ${name}> fetches ${value}`)
        else elsewhere.set(value, f)
        continue
      }
      if (/^(mailto|data):/.test(value)) continue
      links++
      const [target, anchor] = value.split('#')
      let to = target === '' ? f : path.join(target.startsWith('/') ? '' : path.dirname(f), decodeURI(target.split('?')[0]))
      to = to.replace(/^\//, '')
      if (to === '' || to === '.' || to.endsWith('/')) to = path.join(to, 'index.html')
      if (!fs.existsSync(path.join(site, to))) bad.push(`${f}: ${value} is not there`)
      else if (anchor && tag === 'a' && ids.has(to) && !ids.get(to).has(decodeURIComponent(anchor))) bad.push(`${f}: ${to} has no anchor ${anchor}`)
    }
  }
}
for (const f of files.filter(f => f.endsWith('.css'))) {
  for (const [, url] of fs.readFileSync(path.join(site, f), 'utf8').matchAll(/(?:url\(|@import\s+)["']?((?:https?:)?\/\/[^"')]+)/g)) bad.push(`${f} fetches ${url}`)
}
if (!files.some(f => f.includes('localSearchIndex'))) bad.push('there is no index for the search')
if (html.length < 20 || links < 1000) bad.push(`only ${html.length} pages with ${links} links: this is not the manual`)
for (const [to, from] of [...elsewhere].sort()) console.log(`elsewhere, not followed: ${to} (${from})`)
for (const b of bad) console.error(b)
console.log(`${html.length} pages, ${links} links of their own, ${elsewhere.size} to elsewhere, ${bad.length} wrong`)
process.exit(bad.length > 0 ? 1 : 0)
