import type { FleetCount, FleetQuestion } from './fleet-program.ts'
import { type Helper, startHelper } from './program.ts'

export interface Fleet {
  readonly pid: number
  /** As fast as the broker takes them, or so many a second; resolves when all are acknowledged. */
  flood(readings: number, perSecond?: number): Promise<FleetCount>
  /** So many readings a second over all devices from now on; with 0 it resolves when all are acknowledged. */
  pace(perSecond: number): Promise<FleetCount>
  count(): Promise<FleetCount>
  stop(): Promise<void>
}

export async function startFleet(url: string, devices: number, connections = 4): Promise<Fleet> {
  const helper: Helper = startHelper('./fleet-program.ts')
  const ask = (question: FleetQuestion) => helper.ask<FleetCount>(question)
  await ask({ do: 'connect', url, devices, connections })
  return {
    pid: helper.pid,
    flood: (readings, perSecond) => ask({ do: 'flood', readings, ...(perSecond !== undefined && { perSecond }) }),
    pace: (perSecond) => ask({ do: 'pace', perSecond }),
    count: () => ask({ do: 'count' }),
    stop: () => helper.kill('SIGKILL'),
  }
}
