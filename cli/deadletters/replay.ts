import { deadLettersIn } from '../../bridge/dead-letters/open-dead-letters.ts'
import { openReplayed, type ReplayedLog } from '../../bridge/dead-letters/replayed.ts'
import { counted } from '../../src/counted.ts'
import { SnowhatError } from '../../src/errors.ts'
import { isHostname } from '../../src/hostname.ts'
import { createTopics, type Topics } from '../../src/topics.ts'
import type { Invocation } from '../command.ts'
import { connectToBridge } from './bridge-link.ts'
import type { Letter } from './letters.ts'
import type { Planned } from './messages.ts'
import { replayable } from './replayable.ts'
import { select } from './selection.ts'
import { sendLetters } from './send.ts'
import { printable } from './table.ts'

/** `snowhat deadletters replay`: 0 when nothing is left to do of what was asked for. */
export async function replay(invocation: Invocation): Promise<number> {
  const { flags, print, settings } = invocation
  const topics = createTopics(settings.mqtt.base_topic, settings.mqtt.discovery_prefix)
  const to = hostOf(flags.to)
  const { letters, missing } = await select(invocation)
  for (const number of missing) print(`${number} is not there`)
  const planned: Planned[] = []
  let staying = missing.length
  for (const [i, letter] of letters.entries()) {
    const name = nameOf(letter, i)
    if (letter.replayedAt !== undefined) {
      print(`${name} was replayed at ${new Date(letter.replayedAt).toISOString()}`)
      continue
    }
    const plan = replayable(letter, topics, to)
    if (plan.kind === 'ready') planned.push({ letter, plan })
    else staying++
    if (plan.kind === 'stays') print(`${name} stays: ${printable(plan.why)}`)
    else if (flags['dry-run'] === true) print(`${name} would go to ${plan.device}: ${contentOf(plan)}`)
  }
  const stay = staying === 0 ? '' : `; ${staying} cannot be replayed`
  if (flags['dry-run'] === true) print(`would replay ${counted(planned.length, 'dead letter')}${stay}`)
  else if (planned.length === 0) print(`nothing to replay${stay}`)
  else return send(planned, staying, topics, invocation)
  return staying > 0 ? 1 : 0
}

async function send(
  planned: readonly Planned[],
  staying: number,
  topics: Topics,
  invocation: Invocation,
): Promise<number> {
  const { settings, print } = invocation
  const replayed = await openNotes(invocation)
  try {
    const link = await connectToBridge(settings.mqtt, topics, invocation)
    try {
      // Another replay may have ended since these were chosen.
      const fresh = planned.filter(
        ({ letter: { number, at } }) => number === undefined || replayed?.when({ number, at }) === undefined,
      )
      const { letters, readings, unsent, reason, refusal } = await sendLetters(fresh, { link, replayed }, invocation)
      const stay = staying === 0 ? '' : `; ${staying} cannot be replayed`
      if (letters > 0) print(`replayed ${counted(letters, 'dead letter')}: ${counted(readings, 'reading')}${stay}`)
      else print(`nothing was replayed${stay}`)
      if (unsent > 0 && refusal === undefined)
        print(`${unsent} not sent: ${reason}. Run it again: what was replayed is not sent twice`)
      if (letters > 0) print('what the bridge cannot take of it comes back as a new dead letter')
      if (refusal !== undefined) throw refusal
      return staying + unsent > 0 ? 1 : 0
    } finally {
      await link.close()
    }
  } finally {
    await replayed?.close()
  }
}

/** Where the spool directory is not given, or has never held a letter, nothing can be noted. */
async function openNotes(invocation: Invocation): Promise<ReplayedLog | undefined> {
  const { dir } = invocation.settings.spool
  if (dir !== '') return openReplayed(deadLettersIn(dir), invocation)
  invocation.log.warn(
    { hint: 'give --dir to have it noted' },
    'without a spool directory nobody notes what is replayed',
  )
  return undefined
}

function contentOf({ readings }: Planned['plan']): string {
  const what = counted(readings.length, 'reading')
  const uuid = readings[0]?.uuid
  return uuid === undefined ? what : `${what}, ${printable(uuid)}${readings.length > 1 ? ' …' : ''}`
}

function nameOf({ number }: Letter, index: number): string {
  return number === undefined ? `letter ${index + 1} of the file` : String(number)
}

function hostOf(text: string | boolean | undefined): string | undefined {
  if (text === undefined || (typeof text === 'string' && isHostname(text))) return text
  throw new SnowhatError('E_USAGE', `--to ${text} is no device: [a-z0-9][a-z0-9_-]{0,62}, neither bridge nor elastic`)
}
