import type { KeptLetter } from '../../bridge/dead-letters/letter-record.ts'
import { elementsOf } from '../../bridge/routes/json-text.ts'
import { routeOfKey } from '../../src/device-key.ts'
import type { Topics } from '../../src/topics.ts'
import { type ReplayableReading, renewedReading, renewedRecord } from './renewed.ts'

/** What a dead letter becomes when it is sent again, or why it cannot be. */
export type Replayable =
  | {
      readonly kind: 'ready'
      readonly device: string
      readonly topic: string
      readonly readings: readonly ReplayableReading[]
    }
  /** One sentence. */
  | { readonly kind: 'stays'; readonly why: string }

/**
 * All readings of a letter or none. A reading goes without its place in its stream, because that place is accounted
 * for: the bridge gives it another, and the identity (`uuid`) tells which reading it was. It is sent to the device of
 * the letter's topic, whatever host its body names, unless `to` says otherwise; one that came by another route than the
 * Pis' to the topic it came on.
 */
export function replayable(
  letter: Pick<KeptLetter, 'device' | 'topic' | 'payload' | 'position' | 'cutFrom'>,
  topics: Pick<Topics, 'readings' | 'isReadings'>,
  to?: string,
): Replayable {
  const device = to ?? letter.device
  const route = routeOfKey(letter.device)
  const mayBeOfPi = letter.topic === '' || topics.isReadings(letter.topic)
  if (letter.device === '' && !mayBeOfPi) return stays('its topic names no device')
  if (device === '') return stays('its topic names no device; say with --to HOST whose it is')
  if (route !== undefined && to !== undefined)
    return stays(`it came by the route ${route}, and --to is for readings of Pis`)
  if (route !== undefined && !isTopic(letter.topic)) return stays('nobody knows the topic it came on')
  const text = letter.payload.toString('utf8')
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const { payload, cutFrom } = letter
    const part = cutFrom === undefined ? '' : `, because only ${payload.length} of its ${cutFrom} bytes were kept`
    return stays(`the payload is not JSON${part}`)
  }
  const several = Array.isArray(value)
  const values: unknown[] = Array.isArray(value) ? value : [value]
  if (values.length === 0) return stays('there is no reading in it')
  const texts = several ? elementsOf(text) : [text]
  const renewed = route === undefined ? renewedReading : renewedRecord
  const readings: ReplayableReading[] = []
  for (const [i, one] of values.entries()) {
    const position = several ? undefined : letter.position
    const reading = renewed({ value: one, text: texts[i] ?? '', device, position })
    if (typeof reading === 'string')
      return stays(several ? `reading ${i + 1} of ${values.length}: ${reading}` : reading)
    readings.push(reading)
  }
  return { kind: 'ready', device, topic: route === undefined ? topics.readings(device) : letter.topic, readings }
}

/** No filter: nothing comes on those. */
function isTopic(text: string): boolean {
  return text !== '' && !/[+#]/.test(text)
}

function stays(why: string): Replayable {
  return { kind: 'stays', why }
}
