import type { Choice } from '../../bridge/lanes/decision.ts'
import { SnowhatError } from '../../src/errors.ts'
import { withoutUserInfo } from '../../src/log.ts'
import type { Invocation } from '../command.ts'
import { accountOf, isWell } from './account.ts'
import { decide, devicesOnPage, pageUrl } from './bridge-page.ts'
import { readRetained } from './retained.ts'
import { detailOf, overviewOf } from './words.ts'

/** How long the outcome of a decision is waited for. */
const OUTCOME_MS = 5_000
const LOOK_MS = 200

/** `snowhat ledger`. Gives 1 when a reading is missing or a device is held. */
export async function runLedger(invocation: Invocation): Promise<number> {
  const { settings, flags, positionals, print } = invocation
  const [hostname, ...others] = positionals
  if (others.length > 0)
    throw new SnowhatError('E_USAGE', 'snowhat ledger takes one host, or none', { hint: 'see snowhat ledger --help' })
  const url = pageUrl(settings.http, flags['bridge-url'])
  const choice = choiceOf(flags)
  if (choice !== undefined) return tell(hostname, choice, url, invocation)
  const [retained, page] = await Promise.all([readRetained(settings.mqtt, invocation), devicesOnPage(url)])
  const accounts = [...retained.ledgers]
    .filter(([name]) => hostname === undefined || name === hostname)
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([name, ledger]) =>
      accountOf(
        name,
        ledger,
        page?.find((device) => device.hostname === name),
      ),
    )
  const [only] = accounts
  const broker = withoutUserInfo(settings.mqtt.url)
  if (hostname !== undefined && only === undefined)
    throw new SnowhatError('E_NO_LEDGER', `there is no ledger of ${hostname} at ${broker}`, {
      hint: `snowhat ledger lists ${[...retained.ledgers.keys()].sort().join(', ') || 'nothing'}`,
    })
  if (flags.json === true) for (const account of accounts) print(JSON.stringify(account))
  else if (hostname !== undefined && only !== undefined) print(detailOf(only, retained))
  else print(overviewOf(accounts, retained, broker))
  return accounts.every(isWell) ? 0 : 1
}

function choiceOf(flags: Invocation['flags']): Choice | undefined {
  if (flags.keep === true && flags.resend === true)
    throw new SnowhatError('E_USAGE', '--keep and --resend exclude one another', { hint: 'see snowhat ledger --help' })
  if (flags.keep === true) return 'keep'
  return flags.resend === true ? 'resend' : undefined
}

/** Hands a decision to the bridge, and says what became of it. */
async function tell(
  hostname: string | undefined,
  choice: Choice,
  url: string,
  { clock, flags, print, settings }: Invocation,
): Promise<number> {
  if (hostname === undefined)
    throw new SnowhatError('E_USAGE', `--${choice} wants a host`, { hint: `snowhat ledger HOST --${choice}` })
  const effect = await decide(url, settings.http.token, hostname, choice)
  const until = clock.monotonic() + OUTCOME_MS
  let lane = 'opening'
  while (['resting', 'opening'].includes(lane) && clock.monotonic() < until) {
    await clock.sleep(LOOK_MS)
    lane = (await devicesOnPage(url))?.find((device) => device.hostname === hostname)?.lane ?? lane
  }
  if (flags.json === true) print(JSON.stringify({ hostname, decision: choice, effect, lane }))
  else print(`${hostname}: ${effect}\nits lane is ${lane} now`)
  return lane === 'held' ? 1 : 0
}
