import type { TemperatureObservation } from '../../publisher/calibration/calibration-file.ts'
import { observeTemperature } from '../../publisher/calibration/observe-temperature.ts'
import { type FittedFactor, fittedFactor } from '../../publisher/calibration/temperature-fit.ts'
import { counted } from '../../src/counted.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Invocation } from '../command.ts'
import { type OpenCalibration, openOwnBoard } from './own-board.ts'
import { progressLine } from './progress-line.ts'

/** °C: what a reference can be, and what of an excess is more than the sensor's own error. */
const REFERENCES = { least: -40, most: 60 }
const LEAST_EXCESS_C = 0.5
/** °C a minute: a board that changes faster has not settled. */
const SETTLED_C_PER_MINUTE = 0.1
/** °C between the loads of two observations, so that they tell a line and not one point of it. */
const SPREAD_C = 4

/** `snowhat publisher calibrate temperature --reference 21.4`: one observation more, and the factor of all of them. */
export async function runTemperature(invocation: Invocation, calibration: OpenCalibration): Promise<number> {
  const { flags, clock, stop, print, output } = invocation
  const reference = referenceOf(flags.reference)
  const { sensors, host } = await openOwnBoard(invocation)
  const line = progressLine(output, () => clock.monotonic())
  const read = async () => {
    const [values, machine] = await Promise.all([sensors.read(), host.read()])
    return { sensor: values.temperature, cpu: machine.cputempc }
  }
  let observed: Awaited<ReturnType<typeof observeTemperature>>
  try {
    observed = await observeTemperature(
      reference,
      read,
      ({ sensor, cpu }, left) =>
        line.show(
          `sensor ${sensor?.toFixed(1)} °C  processor ${cpu?.toFixed(1)} °C  reference ${reference} °C  ${left} s`,
        ),
      { clock, signal: stop },
    )
  } finally {
    line.end()
    await sensors.close()
  }
  if (observed === undefined) {
    print('Aborted: nothing was changed.')
    return 1
  }
  const { observation, drift } = observed
  refuse(observation)
  const before = flags.fresh === true ? [] : (calibration.known.temperature ?? [])
  const temperature = [...before, observation]
  const fitted = fittedFactor(temperature)
  if (fitted === undefined) throw new Error('observations that are each plausible have no factor')
  await calibration.save({ temperature })
  print(report(temperature, fitted, drift))
  print(`Saved in ${calibration.file}. To use it, set publisher.temperature_compensation to cpu.`)
  return 0
}

function referenceOf(text: string | boolean | undefined): number {
  const value = typeof text === 'string' && text.trim() !== '' ? Number(text) : Number.NaN
  if (value >= REFERENCES.least && value <= REFERENCES.most) return value
  throw new SnowhatError(
    'E_USAGE',
    'snowhat publisher calibrate temperature wants what a thermometer beside the Pi says',
    {
      hint: 'in °C: --reference 21.4',
    },
  )
}

/** An observation the method cannot explain would spoil the others. */
function refuse({ reference, sensor, cpu }: TemperatureObservation): void {
  const place = `sensor ${sensor} °C, processor ${cpu} °C, reference ${reference} °C`
  if (sensor - reference < LEAST_EXCESS_C)
    throw new SnowhatError(
      'E_USAGE',
      `the sensor is not warmer than the air (${place}): there is nothing to compensate`,
      {
        hint: 'has the Pi been on for half an hour? Is the thermometer beside it, and not above?',
      },
    )
  if (cpu <= sensor)
    throw new SnowhatError(
      'E_USAGE',
      `the processor is not warmer than the sensor (${place}): its heat is not the reason`,
      {
        hint: 'the method cpu does not fit here; publisher.temperature_offset may',
      },
    )
}

function report(
  observations: readonly TemperatureObservation[],
  { factor, worst, spread }: FittedFactor,
  drift: number,
): string {
  const share = (100 / (1 + factor)).toFixed(0)
  const lines = [
    ...observations.map(
      ({ reference, sensor, cpu, taken_at }) =>
        `  ${taken_at.slice(0, 16)}  sensor ${sensor} °C  processor ${cpu} °C  reference ${reference} °C`,
    ),
    `Factor ${factor.toFixed(2)} from ${counted(observations.length, 'observation')}: ${share} % of the processor's excess over the air reaches the sensor.`,
  ]
  if (Math.abs(drift) > SETTLED_C_PER_MINUTE)
    lines.push(
      `Not settled: the sensor changed by ${drift.toFixed(2)} °C a minute. Wait half an hour at the same load, then again with --fresh.`,
    )
  if (observations.length === 1)
    lines.push('One observation always fits. A second one at another load, half an hour later, shows whether it holds.')
  else if (spread < SPREAD_C)
    lines.push(`The loads were too alike (${spread.toFixed(1)} °C apart) to show whether the factor holds at others.`)
  else lines.push(`It misses the worst observation by ${worst.toFixed(1)} °C.`)
  lines.push('It is of this board in this case, at this place. The sensor itself is true to ±0.5 °C at best.')
  return lines.join('\n')
}
