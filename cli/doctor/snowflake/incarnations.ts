import { counted } from '../../../src/counted.ts'
import type { Ledger } from '../../../src/ledger.ts'
import type { Check } from '../check.ts'
import { broken, ok } from '../finding.ts'
import { askedDevices, type StreamingPipe } from './pipe.ts'

const NAMED = 5

/** A pipe or table that was replaced has other channels of the same names: the bridge then does not know what they hold. */
export const incarnationsCheck: Check = {
  id: 'snowflake.pipe-replaced',
  side: 'bridge',
  needs: ['heard', 'account', 'pipes'],
  pointless: (examination) =>
    known(examination.take('heard').ledgers).length === 0
      ? 'the broker holds no ledger that names a channel'
      : undefined,
  async run(examination) {
    const pipes = examination.take('pipes')
    // A pipe that does not answer may be the one that has the channel.
    const isAll = pipes.length === examination.take('account').settings.pipes.length
    const ledgers = known(examination.take('heard').ledgers)
    const others = ledgers.filter(([device, { incarnation }]) => isAnother(device, incarnation, pipes, isAll))
    if (others.length === 0)
      return [ok('snowflake.pipe-replaced', `${counted(ledgers.length, 'channel')} as the bridge knows them`)]
    const names = others.map(([device]) => device)
    const rest = names.length > NAMED ? ` and ${counted(names.length - NAMED, 'other')}` : ''
    const [first = ''] = names
    return [
      broken(
        'snowflake.pipe-replaced',
        `the channels of ${names.slice(0, NAMED).join(', ')}${rest} are not those the bridge knows`,
        {
          why: 'the pipe or the table was replaced or dropped, or nothing came for 30 days; the bridge holds these devices and sends nothing',
          fix: `look whether the table still has their rows, then decide for each: snowhat ledger ${first} --keep (the rows are there) or --resend (the table was emptied)`,
        },
      ),
    ]
  },
}

function known(ledgers: ReadonlyMap<string, Ledger>): [string, Ledger][] {
  return askedDevices(ledgers).flatMap((device): [string, Ledger][] => {
    const ledger = ledgers.get(device)
    return ledger === undefined || ledger.incarnation === null ? [] : [[device, ledger]]
  })
}

function isAnother(
  device: string,
  incarnation: number | null,
  pipes: readonly StreamingPipe[],
  isAll: boolean,
): boolean {
  const seen = pipes.flatMap(({ channels }) => channels.get(device) ?? [])
  if (seen.length === 0) return isAll
  return seen.every(({ createdOnMs }) => createdOnMs !== incarnation)
}
