import { ago, bytes, clockTime, count, counted, duration, element, mark, write } from './words.js'

const NAMES = { pis: 'Pis', broker: 'Broker', spool: 'Spool', snowflake: 'Snowflake' }
const WORDS = { ok: 'well', warning: 'look', bad: 'trouble', unknown: 'not known' }

/** What each station has to say of itself: the figure that matters, and a line below it. */
const FIGURES = {
  pis: ({ health }) => ({
    figure: counted(health.devices, 'device'),
    line:
      health.today.missing > 0 ? `${count(health.today.missing)} readings missing today` : 'no reading missing today',
  }),
  broker: ({ health }, { since }, now) => ({
    figure: health.mqtt_connected ? 'connected' : 'away',
    line: `since ${clockTime(since, now)}`,
  }),
  spool: ({ health }) => ({
    figure: counted(health.rows_waiting, 'row'),
    line: `${health.rows_waiting > 0 ? `oldest ${duration(health.lag_seconds * 1000)}` : 'nothing waits'} · ${bytes(health.spool_bytes)} ${health.spool_on_disk ? 'on disk' : 'in memory'}`,
  }),
  snowflake: ({ health }, _stage, now) => ({
    figure: { true: `${health.rows_per_second.toLocaleString()} rows/s`, false: 'away', null: 'not asked' }[
      health.snowflake.reachable
    ],
    line:
      health.last_commit_at === null
        ? 'nothing in the table yet'
        : `last row in the table ${ago(now - Date.parse(health.last_commit_at))}`,
  }),
}

/** The way of a reading: four stations, and what is wrong with them. */
export class ChainView {
  #stages = new Map()
  #list = document.getElementById('stages')
  #problems = document.getElementById('problems')
  #verdict = document.getElementById('verdict')
  #told = ''

  show(chain, devices, now) {
    for (const stage of chain.stages) {
      const view = this.#stages.get(stage.name) ?? this.#make(stage.name)
      const { figure, line } = FIGURES[stage.name](chain, stage, now)
      mark(view.item, 'mood', stage.state)
      write(view.word, stage.name === 'pis' && stage.state === 'unknown' ? 'none yet' : WORDS[stage.state])
      write(view.figure, figure)
      write(view.line, line)
    }
    const problems = chain.stages
      .flatMap(({ name, problems }) => problems.map((one) => ({ ...one, name })))
      .sort((a, b) => Number(b.severity === 'bad') - Number(a.severity === 'bad'))
    const told = JSON.stringify(problems)
    if (told === this.#told && this.#problems.childElementCount === problems.length) return
    this.#told = told
    this.#problems.replaceChildren(...problems.map((problem) => this.#problem(problem, devices, now)))
    write(
      this.#verdict,
      problems.length === 0
        ? 'The way to Snowflake is free.'
        : problems.map(({ name, message }) => `${NAMES[name]}: ${message}.`).join(' '),
    )
  }

  #make(name) {
    const [word, figure, line] = ['word', 'figure', 'line'].map((kind) => element('span', { class: kind }))
    const item = element('li', {}, element('span', { class: 'name' }, NAMES[name]), word, figure, line)
    this.#list.append(item)
    const view = { item, word, figure, line }
    this.#stages.set(name, view)
    return view
  }

  #problem({ name, severity, message, remedy, since }, devices, now) {
    return element(
      'li',
      { 'data-mood': severity },
      element('strong', {}, `${NAMES[name]}: `, ...linked(message, devices)),
      element('span', { class: 'since' }, ` since ${clockTime(since, now)}`),
      element('p', {}, `${remedy[0].toUpperCase()}${remedy.slice(1)}.`),
    )
  }
}

/** Names of devices in a sentence lead to them. */
function linked(message, devices) {
  return message
    .split(/([a-z0-9][a-z0-9_-]*)/)
    .map((part) => (devices.has(part) ? element('a', { href: `#/devices/${encodeURIComponent(part)}` }, part) : part))
}
