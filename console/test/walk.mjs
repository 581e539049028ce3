// Walks through the console in a real browser, on a real fleet that cmd/sluice's test has
// started, as an operator would: looks around, signs in, starts a move, watches it, pauses
// it with the keyboard alone, changes its bounds, lets it end, rolls it back, removes the
// old copy, starts another while a proxy is frozen, and aborts it.
// Everything that goes wrong meanwhile ends it with what and where: an error on the
// console, a request to another host, a report of the policy, a violation that axe finds,
// a page that is wider than a phone.
//
//   node walk.mjs    with SLUICE_URL, SLUICE_TOKEN, SLUICE_WAVE, SLUICE_PROXY_PID, CHROMIUM and SHOTS
//
// It prints the commands that the page has shown, one a line.
import { AxeBuilder } from '@axe-core/playwright'
import assert from 'node:assert/strict'
import path from 'node:path'
import { chromium } from 'playwright-core'

const { SLUICE_URL: base, SLUICE_TOKEN: token, SLUICE_WAVE: wave, SLUICE_PROXY_PID: proxy, CHROMIUM: executablePath, SHOTS: shots } = process.env
const patience = 90_000 // for what a real fleet on a busy machine takes; nothing waits that long by design

const wrong = []
let tolerated = [] // errors that a step provokes
const commands = new Set()
const browser = await chromium.launch({
  executablePath, headless: true,
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

async function open(options) {
  const context = await browser.newContext({ baseURL: base, permissions: ['clipboard-read', 'clipboard-write'], ...options })
  context.setDefaultTimeout(patience)
  await context.addInitScript(() => {
    addEventListener('securitypolicyviolation', e => console.error(`policy: ${e.violatedDirective} ${e.blockedURI} ${e.sourceFile}`))
    // The stages that the page has shown, in their order.
    window.shown = []
    setInterval(() => {
      const stage = document.querySelector('.steps [aria-current=step] span')?.textContent
      if (stage && window.shown.at(-1) !== stage) window.shown.push(stage)
    }, 20)
  })
  context.on('request', r => { if (new URL(r.url()).origin !== base) wrong.push(`a request to ${r.url()}`) })
  const page = await context.newPage()
  page.on('console', m => {
    if (m.type() !== 'error' && m.type() !== 'warning') return
    const text = `${m.text()} (${m.location().url})`
    if (!tolerated.some(t => t.test(text))) wrong.push(`on the console: ${text}`)
  })
  page.on('pageerror', e => wrong.push(`an error of the page: ${e.stack}`))
  return page
}

/** While it runs, errors of that kind are what the step is about. */
async function tolerating(kinds, what) {
  tolerated = kinds
  await what()
  tolerated = []
}

async function step(name, what) {
  const begun = Date.now()
  await what()
  console.error(`   ${name}: ${((Date.now() - begun) / 1000).toFixed(1)} s`)
  assert.deepEqual(wrong, [], name)
}

async function accessible(page, what) {
  const { violations } = await new AxeBuilder({ page }).setLegacyMode().analyze() // there are no frames
  for (const v of violations) wrong.push(`axe at ${what}: ${v.id}: ${v.help}: ${v.nodes.map(n => `${n.target} ${n.failureSummary}`).join(' | ')}`)
}

const page = await open({ viewport: { width: 1280, height: 860 }, colorScheme: 'light' })
const heading = (p, name) => p.getByRole('heading', { level: 1, name }).waitFor()
const go = async (p, to, name) => { await p.goto(to); await heading(p, name) }
const stage = (p, name) => p.locator('.steps [aria-current=step]', { hasText: name }).waitFor()
const live = p => p.locator('.connection.live').waitFor()
const settled = p => p.locator('main:not(:has(.loading))').waitFor()
const shot = (p, name, o) => p.screenshot({ path: path.join(shots, `${name}.png`), ...o })

/** Opens an action's dialog, and notes the command that it shows. */
async function ask(p, label) {
  await p.locator('.head').getByRole('button', { name: label, exact: true }).click()
  const dialog = p.getByRole('dialog')
  await dialog.waitFor()
  return dialog
}
async function confirm(dialog, label) {
  commands.add(await dialog.locator('.command code').textContent())
  await dialog.getByRole('button', { name: label, exact: true }).click()
  await dialog.waitFor({ state: 'detached' })
}

async function slowMove() {
  await go(page, '/ui/tenants/acme', 'acme')
  const dialog = await ask(page, 'Move...')
  await dialog.getByRole('combobox', { name: 'To cluster' }).selectOption('b')
  await dialog.getByText('More options').click()
  await dialog.getByRole('spinbutton', { name: 'Copy at most, in documents a second' }).fill('10')
  return dialog
}
const moveID = () => decodeURIComponent(new URL(page.url()).pathname.split('/').at(-1))

try {
  await step('the overview, for whoever is on this machine', async () => {
    await go(page, '/ui/', 'Overview')
    await live(page)
    await page.locator('.caller', { hasText: 'local' }).waitFor()
    await page.getByText('No move is under way').waitFor()
    await page.locator('.tiles li', { hasText: /^5 *tenants/ }).waitFor() // as a proxy has counted them
    await page.locator('.tiles li', { hasText: /^2 *proxies/ }).waitFor()
    await page.getByRole('button', { name: 'Count tenants' }).click()
    await page.getByRole('columnheader', { name: 'Tenants' }).waitFor()
    await page.getByRole('img', { name: /^Requests: now/ }).waitFor()
    await accessible(page, 'overview')
  })
  await step('a viewer may look, and is told what he lacks', async () => {
    await page.goto('/ui/tenants')
    await page.getByRole('link', { name: 'acme', exact: true }).click()
    await heading(page, 'acme')
    assert(await page.getByRole('button', { name: 'Move...' }).isDisabled(), 'a viewer may move a tenant')
    await page.getByText('needs the role operator').first().waitFor()
    await go(page, '/ui/audit', 'Audit')
    await page.getByText('needs the role admin').first().waitFor()
  })
  await step('signing in', async () => {
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByLabel('Token').fill('not a token')
    await accessible(page, 'sign-in')
    await tolerating([/401 \(Unauthorized\)/], async () => {
      await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').getByText('the token is not known').waitFor()
    })
    await page.getByLabel('Token').fill(token)
    await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
    await page.locator('.caller', { hasText: 'admin' }).waitFor()
    assert.deepEqual(await page.evaluate(() => [Object.keys(localStorage), document.cookie]), [[], ''], 'the token is kept elsewhere than in the tab')
    await live(page)
  })
  await step('a move is started after a dry run', async () => {
    const dialog = await slowMove()
    await page.getByRole('img', { name: /^Requests of acme: now/ }).waitFor() // the proxies count this tenant by itself
    await dialog.getByRole('button', { name: 'Dry run' }).click()
    await dialog.getByText('Nothing is in the way.').waitFor()
    await accessible(page, 'the dialog of a move')
    assert.equal(await dialog.locator('.command code').textContent(), 'sluice move acme --to b --copy-rate 10')
    await dialog.getByRole('button', { name: /^Copy the command/ }).click()
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'sluice move acme --to b --copy-rate 10')
    await confirm(dialog, 'Start the move')
    await heading(page, 'Move of acme')
    await stage(page, 'copying')
  })
  const first = moveID()
  await step('it is paused with the keyboard alone', async () => {
    const until = async (what, is) => {
      for (let i = 0; i < 100; i++) {
        await page.keyboard.press('Tab')
        if (await page.evaluate(is)) return
      }
      assert.fail(`the keyboard does not reach ${what}`)
    }
    await page.locator('h1').focus()
    await until('Pause', () => document.activeElement?.textContent === 'Pause')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Pause this move' }).waitFor()
    await until('the button that confirms', () => document.activeElement?.textContent === 'Pause the move')
    assert(await page.evaluate(() => !!document.activeElement.closest('dialog')), 'the focus has left the dialog')
    commands.add(await page.getByRole('dialog').locator('.command code').textContent())
    await page.keyboard.press('Enter')
    await page.locator('.lead', { hasText: 'paused' }).waitFor()
    await page.getByRole('dialog').waitFor({ state: 'detached' })
    await accessible(page, 'a move under way')
  })
  await step('the overview shows how it goes on', async () => {
    const over = await open({ viewport: { width: 1280, height: 860 }, colorScheme: 'dark' })
    await go(over, '/ui/', 'Overview')
    await over.getByRole('table', { name: 'Moves that are under way' }).getByRole('link', { name: 'acme' }).waitFor()
    await confirm(await ask(page, 'Resume'), 'Resume the move')
    await over.getByRole('cell', { name: /[1-9]\d* \/ \d+$/ }).waitFor() // it goes on, of itself
    await over.getByRole('img', { name: /^Requests: now/ }).waitFor()
    await shot(over, 'overview')
    await over.context().close()
  })
  await step('it is seen to its end', async () => {
    const dialog = await ask(page, 'Bounds...')
    assert(await dialog.getByRole('button', { name: 'Change the bounds' }).isDisabled(), 'there is nothing to change yet')
    await dialog.getByRole('spinbutton', { name: 'Copy at most, in documents a second' }).fill('0')
    await dialog.getByRole('spinbutton', { name: 'Pause budget, in ms' }).fill('3500')
    await accessible(page, 'the dialog of the bounds')
    assert.equal(await dialog.locator('.command code').textContent(), `sluice moves set ${first} --copy-rate 0 --pause-budget 3500ms`)
    await confirm(dialog, 'Change the bounds')
    await page.locator('dd', { hasText: /^3\.5 s$/ }).first().waitFor()
    await stage(page, 'flipped')
    const shown = await page.evaluate(() => window.shown)
    assert(shown.length >= 2 && shown.includes('copying') && shown.at(-1) === 'flipped', `the page has shown ${shown}`)
    await page.getByRole('img', { name: /^Writes were closed for/ }).waitFor()
    await page.getByText('yes, until its old copy is retired').waitFor()
    await accessible(page, 'a move that has flipped')
    await shot(page, 'move', { fullPage: true })
  })
  let back
  await step('it is rolled back', async () => {
    await confirm(await ask(page, 'Roll back'), 'Roll back')
    await page.locator('dt', { hasText: /^rolls back$/ }).waitFor() // the page of the new move
    back = moveID()
    assert.notEqual(back, first)
    await stage(page, 'flipped')
    await page.getByRole('link', { name: 'acme', exact: true }).click()
    await heading(page, 'acme')
    await page.locator('.lead', { hasText: 'a/acme-docs' }).waitFor()
  })
  await step('the old copy of the rollback is removed', async () => {
    await go(page, `/ui/moves/${back}`, 'Move of acme')
    await confirm(await ask(page, 'Retire'), 'Remove the old copy')
    await stage(page, 'done')
    await page.locator('dd', { hasText: /^removed$/ }).first().waitFor()
  })
  await step('another waits for a frozen proxy by name, goes on with it, and is aborted', async () => {
    const dialog = await slowMove()
    process.kill(Number(proxy), 'SIGSTOP') // its session outlasts the step
    await confirm(dialog, 'Start the move')
    await heading(page, 'Move of acme')
    await page.getByRole('listitem').filter({ hasText: /^sluice-2 has not applied the change yet, silent for / }).waitFor()
    await accessible(page, 'a move that waits')
    process.kill(Number(proxy), 'SIGCONT')
    await page.getByText('No proxy is waited for.').waitFor()
    await stage(page, 'copying')
    await confirm(await ask(page, 'Abort'), 'Abort the move')
    await stage(page, 'aborted')
    await page.getByText('There is none: the move has not flipped.').waitFor()
    await page.getByRole('link', { name: 'acme', exact: true }).click()
    await page.getByRole('table', { name: 'Moves of acme, the newest first' }).getByText('aborted').waitFor()
  })
  await step('a wave is resumed, and seen to its end', async () => {
    await page.goto('/ui/waves')
    await page.getByRole('link', { name: wave }).click()
    await heading(page, `Wave ${wave}`)
    await page.getByRole('row', { name: /^globex waiting/ }).waitFor()
    await confirm(await ask(page, 'Resume'), 'Resume the wave')
    await page.locator('.lead .state', { hasText: 'done' }).waitFor()
    await page.getByRole('row', { name: /^globex done/ }).waitFor()
  })
  await step('the audit log has all of that', async () => {
    await go(page, '/ui/audit', 'Audit')
    for (const op of ['requestMove', 'pauseMove', 'resumeMove', 'setMove', 'rollbackMove', 'retireMove', 'abortMove', 'resumeWave']) await page.getByRole('cell', { name: op, exact: true }).first().waitFor()
    await page.getByText('details', { exact: true }).first().click()
    await page.getByRole('heading', { level: 3, name: 'Before' }).first().waitFor()
  })
  await step('what there is not, and what goes wrong, is said', async () => {
    await page.goto('/ui/tenants')
    await page.getByRole('link', { name: 'hooli/50% ?#\u00e9', exact: true }).click() // a name may hold anything
    await heading(page, 'hooli/50% ?#\u00e9')
    await page.getByText("sluice tenant show 'hooli/50% ?#\u00e9'").waitFor()
    await page.reload()
    await heading(page, 'hooli/50% ?#\u00e9')
    await page.getByText('It has never moved.').waitFor()
    await tolerating([/404 \(Not Found\)/], async () => {
      await page.goto('/ui/tenants/nobody')
      await page.getByRole('alert').getByText('unknown_tenant').waitFor()
      await accessible(page, 'a tenant that there is not')
      await go(page, '/ui/elsewhere', 'Nothing is here') // until then it may be read again
    })
    await go(page, '/ui/', 'Overview')
    await live(page)
    await tolerating([/ERR_INTERNET_DISCONNECTED/, /ERR_NETWORK_CHANGED/, /ERR_FAILED/], async () => {
      await page.context().setOffline(true)
      await page.getByText('What is shown is what was known last.').first().waitFor()
      await page.context().setOffline(false)
      await live(page)
    })
  })
  const all = [['/ui/', 'Overview'], ['/ui/tenants', 'Tenants'], ['/ui/tenants/acme', 'acme'], ['/ui/moves', 'Moves'], [`/ui/moves/${first}`, 'Move of acme'], ['/ui/waves', 'Waves'], [`/ui/waves/${wave}`, `Wave ${wave}`],
    ['/ui/fleet', 'Fleet'], ['/ui/store', 'Store'], ['/ui/audit', 'Audit']]
  await step('every page, light', async () => {
    for (const [to, name] of all) {
      await go(page, to, name)
      await settled(page)
      if (to !== '/ui/' && name !== 'Move of acme') await accessible(page, to) // those were looked at in their course
      for (const c of await page.locator('.command code').allTextContents()) commands.add(c)
    }
    assert(commands.size >= 10, `only ${commands.size} commands were shown`)
  })
  await step('every page, dark, on a phone', async () => {
    const phone = await open({ viewport: { width: 390, height: 844 }, colorScheme: 'dark', hasTouch: true, isMobile: true })
    await phone.addInitScript(t => sessionStorage.setItem('sluice.token', t), token)
    for (const [to, name] of all) {
      await go(phone, to, name)
      await settled(phone)
      await accessible(phone, `${to} on a phone`)
      const wide = await phone.evaluate(() => document.scrollingElement.scrollWidth)
      if (wide > 390) wrong.push(`${to} is ${wide} pixels wide on a phone`)
    }
    await phone.getByRole('button', { name: 'Menu' }).click()
    await phone.getByRole('link', { name: 'Moves', exact: true }).click()
    await heading(phone, 'Moves')
    await go(phone, `/ui/moves/${first}`, 'Move of acme')
    await phone.getByRole('img', { name: /^Writes were closed for/ }).waitFor()
    await shot(phone, 'phone')
  })
  await step('whoever is not known sees only where to sign in', async () => {
    const stranger = await open({ viewport: { width: 1280, height: 860 }, extraHTTPHeaders: { Authorization: 'Bearer of nobody' } })
    await tolerating([/401 \(Unauthorized\)/], async () => {
      await go(stranger, '/ui/moves', 'Sign in')
      await stranger.locator('.connection.refused').waitFor()
      await accessible(stranger, 'the page to sign in')
      await stranger.context().setExtraHTTPHeaders({})
      await stranger.getByLabel('Token').fill(token)
      await stranger.locator('main').getByRole('button', { name: 'Sign in' }).click()
      await heading(stranger, 'Moves')
      await live(stranger)
    })
    await stranger.context().close()
  })
  await step('signing out leaves nothing', async () => {
    await page.getByRole('button', { name: 'Sign out' }).click()
    await page.getByText('needs the role admin').first().waitFor()
    assert.deepEqual(await page.evaluate(() => Object.keys(sessionStorage)), [])
  })
  console.log([...commands].join('\n'))
} catch (e) {
  console.error(`at ${page.url()}:\n${await page.locator('main').innerText().catch(() => '')}`)
  throw e
} finally {
  await browser.close()
}
