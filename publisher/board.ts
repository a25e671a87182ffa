import type { Clock } from '../src/clock.ts'
import type { Log } from '../src/log.ts'
import type { InertialCalibration } from './calibration/inertial-calibration.ts'
import type { PublisherSettings } from './config.ts'
import type { HostMetrics } from './host-metrics.ts'
import { findPanel } from './matrix/drivers/find-panel.ts'
import { eventBytesOn } from './matrix/drivers/input-event.ts'
import { openPanel } from './matrix/drivers/open-panel.ts'
import { type PanelParts, type PanelVia, simulatedPanel } from './panel.ts'
import type { I2cBus } from './sensors/bus/bus.ts'
import { openLinuxBus } from './sensors/bus/linux-bus.ts'
import type { InertialSample } from './sensors/inertial-sample.ts'
import { openSenseHat } from './sensors/sense-hat.ts'
import type { Sensors } from './sensors/sensors.ts'
import { openSimulator, type SimulatorOptions, simulateBoard } from './sensors/simulator.ts'
import { seedFrom } from './sensors/world/chance.ts'

/** What this Pi measures with and shows: the board on it and the machine below. */
export interface Board {
  readonly sensors: Sensors
  /** The inertial chips alone, many times a second. */
  readonly inertia: () => Promise<InertialSample>
  readonly host: HostMetrics
  /** Closed before the sensors, whose bus it may use. */
  readonly panel: PanelParts
  /** How the panel could be reached now; `undefined` where that cannot change. */
  readonly lookForPanel?: () => Promise<PanelVia>
}

export interface BoardDeps {
  readonly clock: Clock
  readonly log: Log
  readonly random: () => number
  /** The bus the board is on; another than the machine's only in tests. */
  readonly openBus?: () => Promise<I2cBus>
  /** Directory that stands for `/` where the board's kernel drivers are looked for; another one only in tests. */
  readonly root?: string
  readonly calibration?: InertialCalibration
  /** Of the simulated board, for who calibrates it. */
  readonly simulation?: Pick<SimulatorOptions, 'motion' | 'hardIron'>
}

/** The real Sense HAT, unless simulation was asked for. There is no way from one to the other. */
export function openBoard(
  settings: PublisherSettings,
  hostname: string,
  machine: HostMetrics,
  deps: BoardDeps,
): Promise<Board> {
  return settings.simulate ? simulated(settings, hostname, machine, deps) : real(settings, machine, deps)
}

/** The I2C bus the settings name. */
export function busOf({ i2c_bus, i2c_force }: PublisherSettings): () => Promise<I2cBus> {
  return () => openLinuxBus({ number: i2c_bus, force: i2c_force, root: '/' })
}

/** The bus of the board `--simulate` would read. */
export function openSimulatedBus(
  { seed, environment, altitude_m, board }: PublisherSettings,
  clock: Clock,
): Promise<I2cBus> {
  return simulateBoard({ seed, environment, altitude_m, board }, clock).chips.open()
}

async function real(settings: PublisherSettings, machine: HostMetrics, deps: BoardDeps): Promise<Board> {
  const hat = await openSenseHat(deps.openBus ?? busOf(settings), deps)
  const root = deps.root ?? '/'
  const panel = await openPanel({ bus: hat.bus, root, eventBytes: eventBytesOn(process.arch) }, deps)
  const lookForPanel = async () => {
    const { leds, joystick } = await findPanel(hat.bus, root)
    return { leds: leds?.via ?? null, joystick: joystick?.via ?? null }
  }
  return { sensors: hat, inertia: () => hat.inertia(), host: machine, panel, lookForPanel }
}

/** The machine's metrics are real, but the temperature of the simulated processor: that is what warms the simulated sensors. */
async function simulated(
  settings: PublisherSettings,
  hostname: string,
  machine: HostMetrics,
  deps: BoardDeps,
): Promise<Board> {
  const { environment, altitude_m, board, scenario } = settings
  const seed = settings.seed === 0 ? seedFrom(hostname) : settings.seed
  const { events } = scenario === '' ? { events: [] } : await scenarioOf(scenario)
  // Whoever has calibrated the simulated board has seen its hard iron; for the others it has none.
  const hardIron = (deps.calibration?.field ?? null) !== null
  const simulator = await openSimulator(
    { seed, board, environment, altitude_m, events, hardIron, ...deps.simulation },
    deps,
  )
  return {
    sensors: simulator,
    panel: simulatedPanel(),
    inertia: () => simulator.inertia(),
    host: {
      keys: [...new Set([...machine.keys, 'cputempc' as const])],
      read: async () => ({ ...(await machine.read()), cputempc: simulator.cpuTemperature }),
    },
  }
}

/** Loaded where there is a scenario: what reads it takes memory a Pi has better use for. */
async function scenarioOf(file: string) {
  const { readScenarioFile } = await import('./sensors/simulated-bus/scenario-file.ts')
  return readScenarioFile(file)
}
