import { SnowhatError } from '../src/errors.ts'
import type { PublisherSettings } from './config.ts'
import { INTERVAL_RANGES } from './intervals.ts'

/** Slower a filter that follows turns cannot be, and faster the chip has nothing new. */
const ORIENTATION_RATES = { least: 5, most: 100 }

/** Settings that cannot be honoured stop the start; nothing is simulated that was not asked for. */
export function checkSettings(settings: PublisherSettings): void {
  if (!settings.simulate && settings.scenario !== '')
    throw new SnowhatError('E_CONFIG_INVALID', 'a scenario is for the simulator', {
      hint: 'add --simulate, or leave publisher.scenario empty',
    })
  within('reading_interval', settings.reading_interval, INTERVAL_RANGES.interval)
  within('state_interval', settings.state_interval, INTERVAL_RANGES.state_interval)
  const { orientation_rate: rate } = settings
  const { least, most } = ORIENTATION_RATES
  if (rate !== 0 && (rate < least || rate > most))
    throw new SnowhatError('E_CONFIG_INVALID', `orientation_rate is ${rate}; it is 0, or ${least} to ${most} a second`)
  if (settings.outbox_limit < 1) throw new SnowhatError('E_CONFIG_INVALID', 'outbox_limit must be at least 1 reading')
}

function within(name: string, seconds: number, { min, max }: { readonly min: number; readonly max: number }): void {
  if (seconds < min) throw new SnowhatError('E_CONFIG_INVALID', `${name} is ${seconds} s; the shortest is ${min} s`)
  if (seconds > max) throw new SnowhatError('E_CONFIG_INVALID', `${name} is ${seconds} s; the longest is ${max} s`)
}
