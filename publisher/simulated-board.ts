import type { Clock } from '../src/clock.ts'
import type { PublisherSettings } from './config.ts'
import type { HostMetrics } from './host-metrics.ts'
import { seedFrom } from './sensors/chance.ts'
import type { Sensors } from './sensors/sensors.ts'
import { createSimulator } from './sensors/simulator.ts'

/**
 * The simulated board and the metrics that go with it: those of this machine, but the temperature of the
 * simulated processor, since that is what warms the simulated sensors.
 */
export function openSimulatedBoard(
  settings: PublisherSettings,
  hostname: string,
  machine: HostMetrics,
  clock: Clock,
): { sensors: Sensors; host: HostMetrics } {
  const { environment, altitude_m, board } = settings
  const seed = settings.seed === 0 ? seedFrom(hostname) : settings.seed
  const simulator = createSimulator({ seed, board, environment, altitude_m }, clock)
  return {
    sensors: simulator,
    host: {
      keys: [...new Set([...machine.keys, 'cputempc' as const])],
      read: async () => ({ ...(await machine.read()), cputempc: simulator.cpuTemperature }),
    },
  }
}
