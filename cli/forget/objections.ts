import { counted } from '../../src/counted.ts'
import { SnowhatError } from '../../src/errors.ts'
import type { Ledger } from '../../src/ledger.ts'
import type { BridgeOnPage } from './bridge-side.ts'

/** What is known before anything is removed. */
export interface Situation {
  readonly hostname: string
  /** Its availability says so, or it was heard just now. */
  readonly online: boolean
  readonly ledger: Ledger | undefined
  /** Readings in its outbox, by its own last word; `undefined` when it has left none. */
  readonly outbox: number | undefined
  readonly bridge: {
    /** The broker says that one runs, and its name. */
    readonly online: boolean
    readonly instance: string | undefined
    /** Where it was looked for. */
    readonly url: string
    readonly page: BridgeOnPage | undefined
  }
}

interface Objection {
  readonly reason: string
  readonly hint: string
  /** `--force` overrules it. */
  readonly overruled: boolean
}

/** Throws `E_NOT_FORGOTTEN` with all reasons not to go on: who overrules one shall know of the others. */
export function objectTo(situation: Situation, wish: { readonly force: boolean; readonly channel: boolean }): void {
  const standing = objections(situation, wish.channel).filter(({ overruled }) => !(overruled && wish.force))
  if (standing.length === 0) return
  const all = (what: 'reason' | 'hint') => standing.map((objection) => objection[what]).join('; ')
  throw new SnowhatError('E_NOT_FORGOTTEN', all('reason'), { hint: all('hint') })
}

function objections(situation: Situation, channel: boolean): Objection[] {
  const { hostname, ledger, online, outbox, bridge } = situation
  const found: Objection[] = []
  const object = (reason: string, hint: string, overruled = true) => found.push({ reason, hint, overruled })
  if (online)
    object(
      `${hostname} is online: it would announce itself again at once`,
      'stop snowhat publisher on it first; if it is gone for good and only the broker does not know: --force',
    )
  if (ledger !== undefined && ledger.lag_rows > 0)
    object(
      `${counted(ledger.lag_rows, 'reading')} of ${hostname} ${ledger.lag_rows === 1 ? 'is' : 'are'} with the bridge and not in the table yet`,
      `snowhat ledger ${hostname} shows when they are; --force gives them up, and only what its Pi still holds can come again`,
    )
  // What runs would publish the ledger again, or drop the channel of another.
  if (bridge.online && bridge.page === undefined)
    object(
      `a bridge is running, and its page does not answer at ${bridge.url}: it must forget ${hostname} as well`,
      '--bridge-url says where its page is: http://nas:8080',
      false,
    )
  else if (bridge.online && bridge.page?.instance !== bridge.instance)
    object(
      `the page at ${bridge.url} is of another bridge (${bridge.page?.instance}) than the one at this broker (${bridge.instance})`,
      '--bridge-url says where its page is: http://nas:8080',
      false,
    )
  else if (!bridge.online && channel)
    object(
      'no bridge is running, and it is the bridge that drops a channel',
      'start snowhat bridge and try again',
      false,
    )
  else if (!bridge.online && ledger !== undefined)
    object(
      `no bridge is running: the one that has written the ledger of ${hostname} would publish it again at its next start`,
      'start snowhat bridge and try again; --force if there will be none any more',
    )
  else if (bridge.page?.spool_on_disk === false && outbox !== 0)
    object(
      `the bridge remembers what is in the table only while it runs, and the outbox of ${hostname} may hold readings that are`,
      'without the ledger they would come twice if this Pi came back after a restart of the bridge; --force if it does not, or give the bridge a spool.dir',
    )
  return found
}
