import { lookup } from 'node:dns/promises'
import { connect } from 'node:net'
import { messageOf, systemCode } from '../../../src/errors.ts'
import { withoutUserInfo } from '../../../src/log.ts'
import type { Check } from '../check.ts'
import { broken, type Finding, ok } from '../finding.ts'

/** Where the broker is. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly ip: string
  readonly isTls: boolean
}

const PORTS: Readonly<Record<string, number>> = { 'mqtt:': 1883, 'mqtts:': 8883, 'ws:': 80, 'wss:': 443 }
const CONNECT_MS = 5_000

const REFUSED: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there: is the broker running, and is it this port? (1883 as a rule, 8883 for TLS)',
  EHOSTUNREACH: 'no way leads there: is that machine on, and in this network?',
  ENETUNREACH: 'no way leads there: is this machine in the network?',
  ETIMEDOUT: 'nobody answers: is that machine on, and does a firewall let the port through?',
}

/** The name, and then the port. */
export const addressCheck: Check = {
  id: 'broker.address',
  gives: ['address'],
  async run(examination, signal) {
    const { url } = examination.settings.mqtt
    const shown = withoutUserInfo(url)
    const parsed = URL.canParse(url) ? new URL(url) : undefined
    const usual = PORTS[parsed?.protocol ?? '']
    if (parsed === undefined || usual === undefined || parsed.hostname === '')
      return [
        unusable(`mqtt.url ${shown} is no broker address`, 'write it as mqtt://host:1883 (or mqtts://, ws://, wss://)'),
      ]
    const host = parsed.hostname.replace(/^\[|\]$/g, '')
    const port = Number(parsed.port || usual)
    let known: readonly string[]
    try {
      known = (await lookup(host, { all: true })).map(({ address }) => address)
    } catch (error) {
      const fix = `correct the name in SNOWHAT_MQTT_URL, or use the address in numbers; ${host.endsWith('.local') ? 'names in .local want avahi-daemon and libnss-mdns here' : 'does this machine’s name server know it?'}`
      return [unusable(`the broker's name ${host} is not known here (${systemCode(error) ?? messageOf(error)})`, fix)]
    }
    const { ip, code } = await connected(host, port, signal)
    if (ip === undefined)
      return [
        unusable(
          `the broker's port ${port} on ${[...new Set([host, ...known])].join(', ')} cannot be reached: ${code}`,
          REFUSED[code] ?? 'is SNOWHAT_MQTT_URL right?',
        ),
      ]
    examination.give('address', { host, port, ip, isTls: /^(mqtts|wss):/.test(url) })
    return [ok('broker.address', `${shown} answers${host === ip ? '' : ` at ${ip}`}`)]
  },
}

function unusable(what: string, fix: string): Finding {
  return broken('broker.address', what, { fix })
}

type Connected = { readonly ip: string; readonly code?: undefined } | { readonly ip?: undefined; readonly code: string }

/** By its name, as the programs do: of several addresses, IPv4 or IPv6, the one that answers counts. */
function connected(host: string, port: number, signal: AbortSignal): Promise<Connected> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: CONNECT_MS })
    const end = (code: string) => {
      socket.destroy()
      resolve({ code })
    }
    signal.addEventListener('abort', () => end('stopped'), { once: true })
    socket.once('connect', () => {
      const ip = socket.remoteAddress ?? host
      socket.destroy()
      resolve({ ip })
    })
    socket.once('timeout', () => end('ETIMEDOUT'))
    socket.once('error', (error) => end(systemCode(error) ?? messageOf(error)))
  })
}
