import { count, element } from './words.js'

/** The ledger in words, in the order of a reading's way. */
const COUNTERS = [
  ['Received', ({ ledger }) => ledger.counters.received, 'taken in since the bridge has its spool'],
  ['In the table', (device) => device.readings_committed, 'or kept as a dead letter: settled'],
  ['Waiting', ({ ledger }) => ledger.lag_rows, 'received and not in the table yet'],
  ['Missing', ({ ledger }) => ledger.counters.undeclared_gaps, 'never came, and nothing explains it'],
  ['Given up', ({ ledger }) => ledger.counters.declared_gaps, 'the Pi has said that it lost them'],
  ['Came twice', ({ ledger }) => ledger.counters.redelivered, 'known and dropped: no fault'],
  ['Late', ({ ledger }) => ledger.counters.late, 'came after a later one: taken all the same'],
  ['Rejected', ({ ledger }) => ledger.counters.rejected, 'Snowflake could not store them'],
  ['Dead letters', ({ ledger }) => ledger.counters.dead_letters, 'could not be read or stored, and are kept aside'],
]
const ALARMING = ['Missing', 'Rejected']
/** The newest ones; snowhat ledger shows all. */
const MOST_STREAMS = 8
const MOST_INTERVALS = 4

export function ledgerView(device) {
  const cards = COUNTERS.map(([name, of, meaning]) => {
    const n = of(device)
    const mood = ALARMING.includes(name) && n > 0 ? 'warning' : undefined
    return element(
      'div',
      {},
      element('dt', {}, name),
      element('dd', { 'data-mood': mood }, count(n)),
      element('dd', { class: 'note' }, meaning),
    )
  })
  const streams = Object.entries(device.ledger.streams)
  const shown = streams.slice(-MOST_STREAMS).reverse()
  const head = ['Run of the publisher', 'Held or in the table', 'In the table', 'Given up']
  const rows = shown.map(([name, { spooled, committed, declared }]) =>
    element(
      'tr',
      {},
      element('td', {}, element('code', {}, name)),
      ...[spooled, committed, declared ?? []].map((intervals) => element('td', {}, inWords(intervals))),
    ),
  )
  const hidden = streams.length - shown.length
  return [
    element('dl', { class: 'counters' }, ...cards),
    streams.length === 0
      ? element('p', {}, 'No readings yet.')
      : element(
          'div',
          { class: 'scroll' },
          element(
            'table',
            {},
            element('thead', {}, element('tr', {}, ...head.map((text) => element('th', { scope: 'col' }, text)))),
            element('tbody', {}, ...rows),
          ),
        ),
    hidden > 0
      ? element('p', { class: 'note' }, `And ${count(hidden)} earlier runs: npx snowhat ledger ${device.hostname}`)
      : '',
  ]
}

/** `1 to 500, 510` */
function inWords(intervals) {
  if (intervals.length === 0) return 'none'
  const words = intervals
    .slice(-MOST_INTERVALS)
    .map(([first, last]) => (first === last ? count(first) : `${count(first)} to ${count(last)}`))
  return `${intervals.length > MOST_INTERVALS ? '…, ' : ''}${words.join(', ')}`
}
