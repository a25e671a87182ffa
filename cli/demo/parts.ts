import { generateKeyPair } from 'node:crypto'
import { promisify } from 'node:util'
import { type Bridge, startBridge } from '../../bridge/bridge.ts'
import type { Emulator } from '../../emulator/emulator.ts'
import type { Publisher } from '../../publisher/publisher.ts'
import type { Clock } from '../../src/clock.ts'
import { SnowhatError } from '../../src/errors.ts'
import { portTaken } from '../../src/http-server.ts'
import type { Lifecycle } from '../../src/lifecycle.ts'
import type { Log } from '../../src/log.ts'
import type { AllSettings } from '../command.ts'
import { startBroker } from './broker.ts'
import { startFleet } from './fleet.ts'

/** A user of its own, so that `snowhat query` may still come with any key. */
const USER = 'SNOWHAT_DEMO'

/** The whole way in one process. */
export interface Parts {
  readonly bridge: Bridge
  readonly emulator: Emulator
  readonly fleet: readonly Publisher[]
}

export interface PartsDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
}

/** In the order of dependence. Whatever fails to start names the option that helps. */
export async function startParts(settings: AllSettings, deps: PartsDeps, life: Lifecycle): Promise<Parts> {
  const { demo } = settings
  const { clock, log, random } = deps
  // May take a second, on another core: begun before what takes this one.
  const newKeys = promisify(generateKeyPair)('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
  })
  const broker = life.own('broker', await startBroker(demo.mqtt_port), (b) => b.close())
  const { startEmulator } = await import('../../emulator/emulator.ts')
  const emulator = life.own(
    'emulator',
    await named('--snowpipe-port', demo.snowpipe_port, () =>
      startEmulator({ ...settings.emulator, port: demo.snowpipe_port, data: demo.data }, { clock, log }),
    ),
    (e) => e.close(),
  )
  const keys = await newKeys
  emulator.registerUserKey(USER, keys.publicKey)
  const mqtt = { ...settings.mqtt, url: `mqtt://127.0.0.1:${broker.port}` }
  const snowflake = {
    ...settings.snowflake,
    url: emulator.url,
    account: 'DEMO',
    user: USER,
    private_key: keys.privateKey,
    pat: '',
  }
  const http = { ...settings.http, port: demo.port }
  // Never the directory of a real bridge that the same file of settings serves.
  const spool = { ...settings.spool, dir: '' }
  const bridge = life.own(
    'bridge',
    await named('--port', demo.port, () =>
      startBridge({ ...settings, snowflake, http, spool }, mqtt, { clock, log, random }),
    ),
    (b) => b.close(),
  )
  const fleet = life.own('fleet', await startFleet(settings, mqtt, { clock, log, random }), (pis) =>
    Promise.all(pis.map((pi) => pi.close())),
  )
  return { bridge, emulator, fleet }
}

/** A taken port is an error that names the demo's own option, not the part's. */
async function named<T>(option: string, port: number, start: () => Promise<T>): Promise<T> {
  try {
    return await start()
  } catch (error) {
    if (error instanceof SnowhatError && error.code === 'E_PORT_TAKEN') throw portTaken(port, option, error)
    throw error
  }
}
