import { activityView } from './activity-view.js'
import { command } from './commands.js'
import { lagOf, stateOf } from './device-state.js'
import { FIELDS } from './fields.js'
import { ledgerView } from './ledger-view.js'
import { ago, bytes, clockTime, count, duration, element, mark, value, write } from './words.js'

/** How often what is not in the stream is asked for. */
const ASK_MS = 2_000
const PLOTS_MS = 10_000

/** The page of one device. What it shows it asks for while it is open. */
export class DeviceView {
  #hostname
  #fleet
  #plots
  #parts
  #timer
  #isAsking = false
  #plotsAt = Number.NEGATIVE_INFINITY
  #closed = false
  #path

  constructor(parent, hostname, fleet) {
    this.#hostname = hostname
    this.#fleet = fleet
    this.#path = `api/devices/${encodeURIComponent(hostname)}`
    const part = (tag, attributes) => element(tag, attributes)
    this.#parts = {
      badge: part('span', { class: 'badge' }),
      facts: part('p', { class: 'facts' }),
      hold: part('section', { class: 'hold', hidden: '' }),
      now: part('dl', { class: 'values' }),
      plots: part('div', { class: 'plots' }),
      plotsNote: part('p', { class: 'note' }),
      ledger: part('div'),
      errors: part('div'),
    }
    const { badge, facts, hold, now, plots, plotsNote, ledger, errors } = this.#parts
    parent.replaceChildren(
      element('p', {}, element('a', { href: '#/', class: 'back' }, '← All devices')),
      element('h2', { tabindex: '-1' }, hostname, ' ', badge),
      facts,
      hold,
      section('The last hour', plots, plotsNote),
      section('Last reading', now),
      section('Where its readings are', ledger),
      section('Recent errors', errors),
    )
  }

  close() {
    this.#closed = true
    clearTimeout(this.#timer)
    this.#plots?.close()
  }

  /** What the stream tells. */
  show() {
    const tile = this.#fleet.devices.get(this.#hostname)
    const { badge, facts } = this.#parts
    if (tile === undefined) {
      write(facts, this.#fleet.complete ? 'The bridge knows no device of this name (any more).' : '')
      return
    }
    if (!this.#isAsking) {
      this.#isAsking = true
      void this.#ask()
    }
    const now = this.#fleet.now()
    const { word, mood, why } = stateOf(tile, now)
    write(badge, word)
    mark(badge, 'mood', mood)
    const seen = tile.seen_at === null ? 'not heard since the bridge started' : `last seen ${ago(now - tile.seen_at)}`
    const lag = tile.waiting === 0 ? 'nothing waits' : `lag ${duration(lagOf(tile, now))}`
    write(
      facts,
      [why, seen, lag, `${bytes(tile.bytes_today)} sent today`, ...(tile.simulated ? ['simulated'] : [])].join(' · '),
    )
  }

  async #ask() {
    try {
      // A bridge that has just started may not know the device before its first reading.
      if (!document.hidden && this.#fleet.connected && this.#fleet.devices.has(this.#hostname)) await this.#renew()
    } finally {
      if (!this.#closed) this.#timer = setTimeout(() => this.#ask(), ASK_MS)
    }
  }

  async #renew() {
    const device = await ask(this.#path)
    if (device === undefined || this.#closed) return
    this.#showDetails(device)
    if (performance.now() - this.#plotsAt < PLOTS_MS) return
    const history = await ask(`${this.#path}/history`)
    // Who never opens a device need not wait for the plots' library.
    const { Plots } = await import('./plots.js')
    if (history === undefined || this.#closed) return
    this.#plotsAt = performance.now()
    this.#showPlots(history, Plots)
  }

  #showPlots(history, Plots) {
    if (history.activity !== undefined) {
      this.#parts.plots.replaceChildren(activityView(history))
      this.#parts.now.closest('section').hidden = true
      write(this.#parts.plotsNote, 'One block per 30 seconds, kept in memory since the bridge started.')
      return
    }
    this.#plots ??= new Plots(this.#parts.plots)
    const fields = Object.keys(history.fields)
    this.#plots.show(history, this.#fleet.devices.get(this.#hostname)?.compensated ?? false)
    write(
      this.#parts.plotsNote,
      fields.length === 0
        ? 'Nothing measured in the last hour since the bridge started.'
        : 'One point per 30 seconds, kept in memory since the bridge started. Times are of your time zone.',
    )
  }

  #showDetails(device) {
    const { now, ledger, errors, hold } = this.#parts
    const values = device.last?.values ?? {}
    const shown = FIELDS.filter(({ key }) => typeof values[key] === 'number')
    const wanted = shown.map(({ key }) => key).join()
    if (now.dataset.keys !== wanted) {
      now.dataset.keys = wanted
      now.replaceChildren(...shown.map(({ label }) => element('div', {}, element('dt', {}, label), element('dd'))))
    }
    for (const [i, { key, unit, decimals }] of shown.entries())
      write(now.children[i].lastChild, value(values[key], unit, decimals))
    if (shown.length === 0) write(now, 'None since the bridge started.')
    renew(ledger, device.ledger, () => ledgerView(device))
    renew(errors, device.errors, () => errorsView(device.errors, this.#fleet.now()))
    hold.hidden = device.hold === null
    renew(hold, [device.hold, device.decision], () => holdView(device, this.#fleet.now()))
  }
}

/** `undefined` where the bridge is away, which the head of the page says. */
async function ask(path) {
  const answer = await fetch(path).catch(() => undefined)
  return answer?.ok ? answer.json() : undefined
}

function section(title, ...children) {
  return element('section', {}, element('h3', {}, title), ...children)
}

/** Built anew only when it has changed: a text somebody is selecting stays. */
function renew(parent, facts, build) {
  const told = JSON.stringify(facts)
  if (parent.dataset.told === told) return
  parent.dataset.told = told
  parent.replaceChildren(...build())
}

function holdView({ hostname, hold, decision }, now) {
  if (hold === null) return []
  const choices = Object.entries(hold.choices).flatMap(([choice, effect]) => [
    element('p', {}, `${effect[0].toUpperCase()}${effect.slice(1)}:`),
    command(`npx snowhat ledger ${hostname} --${choice}`),
  ])
  const looks = hold.queries.length === 0 ? [] : [element('h4', {}, 'Look first'), ...hold.queries.map(command)]
  return [
    element('h3', {}, 'Held: only a person can say how it goes on'),
    element(
      'p',
      {},
      `${hold.reason} (${hold.code}, since ${clockTime(Date.parse(hold.since), now)}). Until then nothing of this device is sent, and nothing is lost.`,
    ),
    ...looks,
    ...(choices.length === 0 ? [] : [element('h4', {}, 'Then decide, with the token of http.token_file'), ...choices]),
    decision === null
      ? ''
      : element(
          'p',
          { class: 'note' },
          `Decided last: ${decision.choice}, ${clockTime(Date.parse(decision.at), now)}.`,
        ),
  ]
}

function errorsView(errors, now) {
  if (errors.length === 0) return [element('p', {}, 'None since the bridge started.')]
  const rows = errors.map(({ at, code, message, times }) =>
    element(
      'tr',
      {},
      element('td', {}, element('time', { datetime: at }, clockTime(Date.parse(at), now))),
      element('td', {}, element('code', {}, code)),
      element('td', {}, message, times > 1 ? element('small', {}, ` (${count(times)} times)`) : ''),
    ),
  )
  const head = ['Time', 'Code', 'What happened'].map((text) => element('th', { scope: 'col' }, text))
  return [
    element(
      'div',
      { class: 'scroll' },
      element('table', {}, element('thead', {}, element('tr', {}, ...head)), element('tbody', {}, ...rows)),
    ),
  ]
}
