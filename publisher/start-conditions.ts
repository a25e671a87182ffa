import { SnowhatError } from '../src/errors.ts'
import type { PublisherSettings } from './config.ts'

/** Seconds: faster than that the sensors have nothing new. */
const SHORTEST_READING_INTERVAL_S = 0.01
const SHORTEST_STATE_INTERVAL_S = 1
/** Slower a filter that follows turns cannot be, and faster the chip has nothing new. */
const ORIENTATION_RATES = { least: 5, most: 100 }

/** Settings that cannot be honoured stop the start; nothing is simulated that was not asked for. */
export function checkSettings(settings: PublisherSettings): void {
  if (!settings.simulate && settings.scenario !== '')
    throw new SnowhatError('E_CONFIG_INVALID', 'a scenario is for the simulator', {
      hint: 'add --simulate, or leave publisher.scenario empty',
    })
  atLeast('reading_interval', settings.reading_interval, SHORTEST_READING_INTERVAL_S)
  atLeast('state_interval', settings.state_interval, SHORTEST_STATE_INTERVAL_S)
  const { orientation_rate: rate } = settings
  const { least, most } = ORIENTATION_RATES
  if (rate !== 0 && (rate < least || rate > most))
    throw new SnowhatError('E_CONFIG_INVALID', `orientation_rate is ${rate}; it is 0, or ${least} to ${most} a second`)
  if (settings.outbox_limit < 1) throw new SnowhatError('E_CONFIG_INVALID', 'outbox_limit must be at least 1 reading')
}

function atLeast(name: 'reading_interval' | 'state_interval', seconds: number, least: number): void {
  if (seconds >= least) return
  throw new SnowhatError('E_CONFIG_INVALID', `${name} is ${seconds} s; the shortest is ${least} s`)
}
