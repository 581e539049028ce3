// Pictures of what was read. Each says in words what it shows.
import type { Schemas } from './api'
import { millis, span, stages, words } from './format'

export interface Point { at: number, value: number }

/** Values over time, from 0 to the largest; a limit is a line across. */
export function Line({ points, label, unit, show, limit }: { points: Point[], label: string, unit: string, show: (n: number) => string, limit?: number }) {
  if (points.length < 2) return <p class="empty">Measuring: {label} shows after a few seconds.</p>
  const w = 600, h = 110
  const from = points[0].at, to = points[points.length - 1].at
  const most = Math.max(...points.map(p => p.value), limit ?? 0, 1e-9)
  const x = (t: number) => ((t - from) / Math.max(1, to - from)) * w
  const y = (v: number) => h - 4 - (v / most) * (h - 12)
  const line = points.map((p, i) => `${i ? 'L' : 'M'}${x(p.at).toFixed(1)} ${y(p.value).toFixed(1)}`).join('')
  const last = points[points.length - 1].value
  return (
    <figure class="chart">
      <figcaption><span>{label}</span> <strong>{show(last)} {unit}</strong></figcaption>
      <svg viewBox={`0 0 ${w} ${h}`} preserveAspectRatio="none" role="img" aria-label={`${label}: now ${show(last)} ${unit}, at most ${show(Math.max(...points.map(p => p.value)))} ${unit} in the last ${millis(to - from)}`}>
        <path class="area" d={`${line}L${w} ${h}L0 ${h}Z`} />
        <path class="line" d={line} />
        {limit !== undefined && <path class="limit" d={`M0 ${y(limit)}L${w} ${y(limit)}`} />}
      </svg>
      <div class="axis" aria-hidden="true"><span>{millis(to - from)} ago</span><span>top {show(most)} {unit}</span><span>now</span></div>
    </figure>
  )
}

type Stage = Schemas['StageTime']

/** How far the move is: the stages that it goes through, the present one marked. */
export function Steps({ stage, timeline }: { stage: string, timeline: Stage[] }) {
  const been = new Set(timeline.map(t => t.stage as string))
  const at = stages.findIndex(s => s === stage)
  const beyond = at < 0 && been.has('flipped') // retiring and what comes after it
  const aside = at < 0 && !beyond ? stage : undefined
  return (
    <ol class="steps" aria-label="Stages of the move">
      {stages.map((s, i) => {
        const state = s === stage ? (s === 'flipped' ? 'past' : 'now') : beyond || (at >= 0 ? i < at : been.has(s)) ? 'past' : 'ahead'
        return <li class={state} aria-current={s === stage ? 'step' : undefined}><span>{words(s)}</span><span class="hidden">{state === 'past' ? ', done' : state === 'now' ? ', under way' : ', to come'}</span></li>
      })}
      {(aside || (beyond && stage !== 'flipped')) && <li class="now" aria-current="step"><span>{words(stage)}</span></li>}
    </ol>
  )
}

/** When the move was in which stage, drawn to scale. */
export function Timeline({ timeline, now }: { timeline: Stage[], now: number }) {
  if (timeline.length === 0) return <p class="empty">No stage has begun yet.</p>
  const start = (t: Stage) => new Date(t.started).getTime()
  const length = (t: Stage) => (t.duration > 0 ? t.duration / 1e6 : Math.max(0, now - start(t)))
  // What lasts after the flip, which may be weeks, would make dots of the rest.
  const work = timeline.filter(t => !['flipped', 'done', 'aborted', 'rolled_back', 'failed'].includes(t.stage))
  const from = start(timeline[0])
  const to = Math.max(from + 1, ...work.map(t => start(t) + length(t)))
  const share = (ms: number) => Math.min(100, Math.max(0, (ms / (to - from)) * 100))
  return (
    <div class="scroll" role="region" aria-label="Timeline" tabIndex={0}>
      <table class="timeline">
        <caption class="hidden">Timeline: every stage with when it began and how long it lasted</caption>
        <thead class="hidden"><tr><th scope="col">Stage</th><th scope="col">Began</th><th scope="col">Drawn to scale</th><th scope="col">Lasted</th></tr></thead>
        <tbody>
          {timeline.map(t => {
            const x = share(start(t) - from), lasts = !work.includes(t)
            return (
              <tr>
                <th scope="row">{words(t.stage)}</th>
                <td class="num">{new Date(t.started).toLocaleTimeString('sv')}</td>
                <td class="track">
                  <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
                    <rect class={`span ${t.stage}`} x={Math.min(x, 99.2)} y="1" height="8" width={lasts ? 0.8 : Math.max(0.8, Math.min(share(length(t)), 100 - x))} />
                  </svg>
                </td>
                <td class="num">{t.duration > 0 ? span(t.duration) : lasts ? 'since' : `${millis(length(t))}, now`}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
    </div>
  )
}

type Pause = Schemas['Pause']

/** The pause as the receipt has it: what the cutover consisted of, and what writers felt. */
export function PauseDrawing({ pause, budget }: { pause: Pause, budget: number }) {
  const parts = [
    { name: 'acknowledgements', ms: pause.barrier_ms, css: 'p1' },
    { name: 'last round', ms: pause.last_round_ms, css: 'p2' },
    { name: 'check, refresh and seal', ms: pause.seal_ms, css: 'p3' },
  ]
  const rest = Math.max(0, pause.controller_ms - parts.reduce((n, p) => n + p.ms, 0))
  parts.push({ name: 'the flip and the rest', ms: rest, css: 'p4' })
  const most = Math.max(pause.controller_ms, pause.longest_ms, 1) * 1.05
  const x = (ms: number) => (ms / most) * 600
  let at = 0
  const text = `Writes were closed for ${millis(pause.controller_ms)}: ${parts.map(p => `${p.name} ${millis(p.ms)}`).join(', ')}. ${pause.held_requests} writes were held, half of them for at most ${millis(pause.p50_ms)}, the longest for ${millis(pause.longest_ms)}.`
  return (
    <figure class="pause">
      <svg viewBox="0 0 600 56" role="img" aria-label={text}>
        {parts.map(p => { const from = at; at += p.ms; return <rect class={p.css} x={x(from)} y="3" height="18" width={Math.max(p.ms > 0 ? 0.5 : 0, x(p.ms))} /> })}
        {pause.held_requests > 0 && <>
          <path class="held" d={`M0 40H${x(pause.longest_ms)}`} />
          <circle class="mark" cx={x(pause.p50_ms)} cy="40" r="5" />
          <path class="mark" d={`M${x(pause.longest_ms)} 32V48`} />
        </>}
        {budget <= most && <path class="limit" d={`M${x(budget)} 0V54`} />}
      </svg>
      <ul class="legend">
        {parts.map(p => <li><span class={`swatch ${p.css}`} aria-hidden="true" />{p.name} <strong>{millis(p.ms)}</strong></li>)}
        <li><span class="swatch round" aria-hidden="true" />half of {pause.held_requests} held writes, at most <strong>{millis(pause.p50_ms)}</strong></li>
        <li><span class="swatch end" aria-hidden="true" />the longest hold <strong>{millis(pause.longest_ms)}</strong></li>
        <li>budget <strong>{millis(budget)}</strong></li>
      </ul>
    </figure>
  )
}

/** Parts of a whole, as one bar. */
export function Shares({ parts, label }: { parts: { name: string, n: number, css: string }[], label: string }) {
  const all = parts.reduce((n, p) => n + p.n, 0)
  let at = 0
  return (
    <figure class="pause shares">
      <svg viewBox="0 0 600 22" preserveAspectRatio="none" role="img" aria-label={`${label}: ${parts.map(p => `${p.n} ${p.name}`).join(', ')}`}>
        <rect class="empty" x="0" y="0" width="600" height="22" />
        {parts.map(p => { const from = at; at += p.n; return p.n > 0 && <rect class={p.css} x={(from / all) * 600} y="0" height="22" width={(p.n / all) * 600} /> })}
      </svg>
      <ul class="legend">{parts.filter(p => p.n > 0).map(p => <li><span class={`swatch ${p.css}`} aria-hidden="true" />{p.name} <strong>{p.n}</strong></li>)}</ul>
    </figure>
  )
}
