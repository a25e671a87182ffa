import { command } from './commands.js'
import { element } from './words.js'

const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/

/** The broker as a Pi reaches it: the bridge may know it by a name that only its own machine understands. */
function brokerFor(url) {
  const broker = new URL(url.replace(/^(mqtts?|wss?):/, 'http:'))
  const scheme = url.slice(0, url.indexOf(':'))
  const isLocal = LOOPBACK.test(broker.hostname) || !/[.:]/.test(broker.hostname)
  const host = isLocal ? location.hostname : broker.hostname
  const port = broker.port || { mqtt: '1883', mqtts: '8883', ws: '80', wss: '443' }[scheme]
  const path = broker.pathname.replace(/^\/$/, '')
  return { url: `${scheme}://${host}:${port}${path}`, reachable: !LOOPBACK.test(host) }
}

/** What to do when there is no device yet. */
export function firstSteps(chain) {
  const { url, reachable } = brokerFor(chain.broker_url)
  return [
    element('h2', {}, 'No device yet'),
    element(
      'p',
      {},
      'The bridge is ready. The first reading that reaches the broker makes its device appear here, without a reload.',
    ),
    element('h3', {}, 'On a Raspberry Pi with a Sense HAT'),
    command(`npx snowhat publisher --mqtt-url ${url}`),
    element('h3', {}, 'Without one: a simulated Pi'),
    command(`npx snowhat publisher --simulate --hostname pi-test --mqtt-url ${url}`),
    reachable
      ? undefined
      : element(
          'p',
          { class: 'note' },
          `${new URL(url.replace(/^\w+:/, 'http:')).hostname} is this machine alone: on another one write this machine's name or address instead.`,
        ),
    element(
      'p',
      { class: 'note' },
      `The bridge itself reaches the broker at ${chain.broker_url}. Where that wants a user and a password, add --mqtt-username and --mqtt-password-file. `,
      chain.health.mqtt_connected ? '' : 'At the moment it does not reach it: see above.',
    ),
  ].filter((one) => one !== undefined)
}
