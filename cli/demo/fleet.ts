import { type Publisher, type PublisherDeps, startPublisher } from '../../publisher/publisher.ts'
import type { MqttSettings } from '../../src/mqtt-section.ts'
import { VERSION } from '../../src/version.ts'
import type { AllSettings } from '../command.ts'

/** Rooms come first; a larger fleet is numbered. */
const ROOMS = ['kitchen', 'attic', 'cellar', 'garage', 'study', 'greenhouse']

function hostnameOf(index: number): string {
  const room = ROOMS[index]
  return room === undefined ? `pi-${String(index + 1).padStart(3, '0')}` : `pi-${room}`
}

/** Starts the demo's Pis, each with its own name, weather and seed. */
export async function startFleet(
  settings: AllSettings,
  mqtt: MqttSettings,
  deps: Pick<PublisherDeps, 'clock' | 'log' | 'random'>,
): Promise<Publisher[]> {
  const { pis, rate } = settings.demo
  const outdoor = 'greenhouse'
  return Promise.all(
    Array.from({ length: pis }, (_, index) => {
      const hostname = hostnameOf(index)
      const own = {
        ...settings.publisher,
        simulate: true,
        hostname,
        reading_interval: 1 / rate,
        environment: hostname.endsWith(outdoor) ? ('outdoor' as const) : ('indoor' as const),
        max_batches: 0,
        // One directory cannot be the outbox of several.
        outbox_dir: '',
        // Who looks at a demo does not wait for the clock of a machine that was just started.
        clock_wait: 0,
        // Boards on desks, many in one process.
        orientation_rate: 10,
      }
      const byte = (index + 1).toString(16).padStart(2, '0').slice(-2)
      const identity = { hostname, macaddress: `02:00:5e:00:00:${byte}`, ipaddress: '127.0.0.1', serial: null }
      return startPublisher({ ...settings, publisher: own, mqtt }, { ...deps, identity, version: VERSION })
    }),
  )
}
