import type { Clock } from './clock.ts'
import type { Log } from './log.ts'
import { type NotifyWay, openNotifyWay } from './notify-way.ts'

/** How a program is, at this moment. */
export interface Wellbeing {
  /** A line for `systemctl status`. */
  readonly status: string
  /**
   * What has begun and does not come to an end, in a sentence; `undefined` while there is progress. Only what a new start may
   * mend: that a broker or Snowflake is away is none of it.
   */
  readonly stuck: string | undefined
}

/**
 * Tells the service manager how this program is, as sd_notify(3) says: `READY=1` once, then `STATUS=`, and `WATCHDOG=1` while
 * there is progress. Where nobody has asked (no `NOTIFY_SOCKET`) it does nothing.
 */
export interface Notify {
  /** It has really started. From here on `look` is asked until `stopping`. */
  ready(look: () => Wellbeing): void
  stopping(): void
  /** All that was said is under way; nothing is said any more. */
  close(): Promise<void>
}

/** How often the status is renewed where there is no watchdog. */
const STATUS_EVERY_MS = 30_000
/** How soon is looked again after a sign that was left out: the next regular one would come just as the time is up. */
const STUCK_LOOK_MS = 1_000

const SILENT: Notify = { ready: () => undefined, stopping: () => undefined, close: () => Promise.resolve() }

export interface NotifyDeps {
  readonly clock: Clock
  readonly log: Log
  /** Of this process: a watchdog may be meant for another one. */
  readonly pid: number
}

/** As the environment says: `NOTIFY_SOCKET`, `WATCHDOG_USEC` and `WATCHDOG_PID`. */
export async function openNotify(
  env: Readonly<Record<string, string | undefined>>,
  { clock, log, pid }: NotifyDeps,
): Promise<Notify> {
  const socket = env.NOTIFY_SOCKET ?? ''
  if (!/^[/@]./.test(socket)) return SILENT
  return new SystemdNotify(await openNotifyWay(socket, log), watchdogMs(env, pid), { clock, log })
}

/** The watchdog's time; `undefined` when there is none, or it is another process's. */
export function watchdogMs(env: Readonly<Record<string, string | undefined>>, pid: number): number | undefined {
  const { WATCHDOG_USEC: time = '', WATCHDOG_PID: whose = '' } = env
  if (!/^[1-9]\d*$/.test(time) || (whose !== '' && whose !== String(pid))) return undefined
  return Number(time) / 1_000
}

export class SystemdNotify implements Notify {
  readonly #way: NotifyWay
  readonly #everyMs: number
  readonly #isWatched: boolean
  readonly #clock: Clock
  readonly #log: Log
  #look: (() => Wellbeing) | undefined
  #status = ''
  #wasStuck = false
  #cancel: (() => void) | undefined
  #said: Promise<void> = Promise.resolve()

  constructor(way: NotifyWay, watchdog: number | undefined, deps: { readonly clock: Clock; readonly log: Log }) {
    this.#way = way
    this.#isWatched = watchdog !== undefined
    this.#everyMs = watchdog === undefined ? STATUS_EVERY_MS : watchdog / 2
    this.#clock = deps.clock
    this.#log = deps.log
  }

  ready(look: () => Wellbeing): void {
    this.#look = look
    this.#say('READY=1')
    this.#beat()
  }

  stopping(): void {
    if (this.#look === undefined) return
    this.#end()
    this.#say('STOPPING=1', 'STATUS=stopping')
  }

  async close(): Promise<void> {
    this.#end()
    await this.#said
    this.#way.close()
  }

  #end(): void {
    this.#look = undefined
    this.#cancel?.()
  }

  #beat(): void {
    const { status, stuck } = this.#look?.() ?? { status: '', stuck: undefined }
    const isStuck = stuck !== undefined
    const line = isStuck ? `stuck: ${stuck}` : status
    this.#say(
      ...(this.#isWatched && !isStuck ? ['WATCHDOG=1'] : []),
      ...(line === this.#status ? [] : [`STATUS=${oneLine(line)}`]),
    )
    this.#status = line
    if (isStuck && !this.#wasStuck && this.#isWatched)
      this.#log.error({ reason: stuck }, 'no progress: if this lasts, systemd starts the program anew')
    this.#wasStuck = isStuck
    const next = isStuck ? Math.min(STUCK_LOOK_MS, this.#everyMs) : this.#everyMs
    this.#cancel = this.#clock.after(next, () => this.#beat())
  }

  #say(...lines: readonly string[]): void {
    if (lines.length > 0) this.#said = this.#way.send(lines)
  }
}

/** A line break would begin another assignment. */
function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ')
}
