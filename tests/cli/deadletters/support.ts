import { EventEmitter } from 'node:events'
import { onTestFinished } from 'vitest'
import type { DeadLetter } from '../../../bridge/dead-letters/dead-letters.ts'
import { type DiskDeadLetters, openDiskDeadLetters } from '../../../bridge/dead-letters/disk-dead-letters.ts'
import { deadLettersIn } from '../../../bridge/dead-letters/open-dead-letters.ts'
import { main } from '../../../cli/main.ts'
import { systemClock } from '../../../src/clock.ts'
import { silentLog } from '../../../src/log.ts'
import { temporaryDirectory } from '../../support/directory.ts'

export interface Ended {
  readonly code: number
  readonly out: string
  readonly lines: readonly string[]
  readonly err: string
}

/** A spool directory whose dead letters a bridge has open, and the command as a user runs it beside that bridge. */
export class Place {
  readonly dir = temporaryDirectory()
  readonly env: Record<string, string> = { SNOWHAT_SPOOL_DIR: this.dir, SNOWHAT_LOG_LEVEL: 'silent' }
  #bridge: Promise<DiskDeadLetters> | undefined
  #time = Date.UTC(2026, 10, 22, 12)

  async keep(payload: unknown, over: Partial<DeadLetter> = {}): Promise<void> {
    this.#bridge ??= this.#open()
    const bytes = Buffer.isBuffer(payload)
      ? payload
      : Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload))
    await (await this.#bridge).add({
      device: 'pi',
      topic: 'sensehat/pi/readings',
      code: 'wrong_type',
      reason: 'temperature: must be a number',
      payload: bytes,
      at: this.#time++,
      ...over,
    })
  }

  async run(...argv: string[]): Promise<Ended> {
    const out: string[] = []
    const err: string[] = []
    const host = Object.assign(new EventEmitter(), {
      env: this.env,
      pid: 1,
      exit: () => undefined,
      stdout: { write: (text: string) => out.push(text) },
      stderr: { write: (text: string) => err.push(text) },
    })
    const code = await main(['deadletters', ...argv], host)
    const text = out.join('')
    return { code, out: text, lines: text.split('\n').slice(0, -1), err: err.join('') }
  }

  async #open(): Promise<DiskDeadLetters> {
    const letters = await openDiskDeadLetters(
      { dir: deadLettersIn(this.dir), maxBytes: 4 * 1024 * 1024 },
      { clock: systemClock(), log: silentLog() },
    )
    onTestFinished(() => letters.close())
    return letters
  }
}
