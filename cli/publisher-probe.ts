import { busOf, openSimulatedBus } from '../publisher/board.ts'
import { findPanel, type PanelWays } from '../publisher/matrix/drivers/find-panel.ts'
import { BusFault } from '../publisher/sensors/bus/bus-fault.ts'
import { SharedBus } from '../publisher/sensors/bus/shared-bus.ts'
import { type ProbeReport, probe } from '../publisher/sensors/probe.ts'
import { SnowhatError } from '../src/errors.ts'
import type { Invocation } from './command.ts'

/** `snowhat publisher probe`: what is on the I2C bus. 0 when that is a Sense HAT, 1 when not. Changes nothing on it. */
export async function runProbeCommand(words: readonly string[], invocation: Invocation): Promise<number> {
  if (words.length > 0)
    throw new SnowhatError('E_USAGE', `snowhat publisher probe takes no ${words.join(' ')}`, {
      hint: '--i2c-bus chooses the bus',
    })
  const { settings, flags, clock, print } = invocation
  const { simulate, i2c_bus } = settings.publisher
  const open = simulate ? () => openSimulatedBus(settings.publisher, clock) : busOf(settings.publisher)
  const report = await probed(open, invocation, simulate)
  const where = simulate ? 'simulated' : `/dev/i2c-${i2c_bus}`
  print(flags.json === true ? JSON.stringify({ bus: where, simulated: simulate, ...report }) : describe(where, report))
  return report.board === null ? 1 : 0
}

/** What is on the bus, and how LEDs and joystick are reached: over the bus or past it. */
interface BoardReport extends ProbeReport {
  /** `null` for the simulated board, whose panel is not on its bus. */
  readonly panel: PanelWays | null
}

async function probed(
  open: ConstructorParameters<typeof SharedBus>[0],
  { clock }: Invocation,
  simulate: boolean,
): Promise<BoardReport> {
  const bus = new SharedBus(open, clock)
  try {
    return { ...(await probe(bus, '/')), panel: simulate ? null : await findPanel(bus, '/') }
  } catch (error) {
    if (!(error instanceof BusFault)) throw error
    throw new SnowhatError('E_NO_SENSE_HAT', error.sentence, {
      cause: error,
      ...(error.hint === undefined ? {} : { hint: error.hint }),
    })
  } finally {
    await bus.close()
  }
}

function describe(where: string, { board, hat, probed, panel }: BoardReport): string {
  const rows = probed.map((one) => [
    one.address,
    one.chip,
    one.identity ?? '',
    one.verdict,
    one.measures,
    one.hint ?? '',
  ])
  const table = [['address', 'chip', 'identity', 'verdict', 'measures', ''], ...rows]
  const widths = [0, 1, 2, 3, 4, 5].map((column) => Math.max(...table.map((row) => row[column]?.length ?? 0)))
  const lines = table.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd(),
  )
  const eeprom = hat === null ? 'tells of no board' : `tells of ${hat.vendor} ${hat.product} ${hat.version}`
  const head = [`bus     ${where}`, `board   ${board ?? 'no Sense HAT'}`, `EEPROM  ${eeprom}`]
  return [...head, ...described(panel), '', ...lines].join('\n')
}

function described(panel: PanelWays | null): string[] {
  if (panel === null) return ['LEDs    simulated', 'stick   simulated']
  const words = (way: PanelWays['leds'] | PanelWays['joystick']) => {
    if (way !== null) return `${way.via}, ${way.where}${way.hint === null ? '' : `: ${way.hint}`}`
    return ['none', ...(panel.problem === null ? [] : [panel.problem])].join(': ')
  }
  return [
    `LEDs    ${words(panel.leds)}`,
    `stick   ${words(panel.joystick)}`,
    ...(panel.hint === null ? [] : [`        ${panel.hint}`]),
  ]
}
