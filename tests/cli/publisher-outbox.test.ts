import { EventEmitter } from 'node:events'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { main } from '../../cli/main.ts'
import { openDiskOutbox } from '../../publisher/disk-outbox.ts'
import { systemClock } from '../../src/clock.ts'
import { silentLog } from '../../src/log.ts'
import { reading } from '../publisher/support.ts'
import { temporaryDirectory } from '../support/directory.ts'

async function run(argv: readonly string[]) {
  const out: string[] = []
  const err: string[] = []
  const host = Object.assign(new EventEmitter(), {
    env: { SNOWHAT_LOG_LEVEL: 'silent' },
    pid: 1,
    exit: () => undefined,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  })
  const code = await main(['publisher', ...argv], host)
  return { code, out: out.join(''), err: err.join('') }
}

/** An outbox of three readings, of which some were sent; open as long as the test runs, if told so. */
async function outboxOn(dir: string, sent = 0, running = false): Promise<void> {
  const settings = { dir, limit: 100, aloneMs: 0, syncEveryMs: 0, boot: 'boot-1' }
  const outbox = await openDiskOutbox(settings, { clock: systemClock(), log: silentLog() })
  for (let seq = 1; seq <= 3; seq++) await outbox.append(reading(seq))
  if (sent > 0) await outbox.take({ readings: sent, bytes: 1_000_000 })
  if (running) onTestFinished(() => outbox.close())
  else await outbox.close()
}

describe('snowhat publisher outbox status', () => {
  it('tells a person what waits, without a broker', async () => {
    const dir = join(temporaryDirectory(), 'outbox')
    await outboxOn(dir)
    const { code, out, err } = await run(['outbox', 'status', '--outbox-dir', dir])
    expect([code, err]).toEqual([0, ''])
    expect(out).toContain(`outbox        ${dir}\npublisher     none runs on it\nreadings      3, from 2026`)
    expect(out).toContain('streams       aaaaaaaa (3)')
    expect(out).toContain('bridge        never seen')
    expect(out).toContain('damaged       nothing')
  })

  it('tells a program the same as JSON, also while a publisher runs on it, and does not disturb that', async () => {
    const dir = join(temporaryDirectory(), 'outbox')
    await outboxOn(dir, 0, true)
    const { code, out } = await run(['outbox', 'status', '--json', '--outbox-dir', dir])
    expect(code).toBe(0)
    const running = `process ${process.pid}`
    expect(JSON.parse(out)).toMatchObject({ dir, readings: 3, never_sent: 3, running, damaged: [] })
  })
})

describe('snowhat publisher outbox rename', () => {
  it('gives readings that were never sent the new name', async () => {
    const dir = join(temporaryDirectory(), 'outbox')
    await outboxOn(dir)
    expect(await run(['outbox', 'rename', 'pi-b', '--outbox-dir', dir])).toEqual({
      code: 0,
      out: '3 readings of pi-a, never sent, will go out as pi-b\n',
      err: '',
    })
    expect((await run(['outbox', 'status', '--outbox-dir', dir])).out).toContain('of            pi-b')
    expect((await run(['outbox', 'rename', 'pi-b', '--outbox-dir', dir])).out).toContain('no readings of another name')
  })

  it('asks for a decision about the others, and puts them into a file when told so', async () => {
    const dir = join(temporaryDirectory(), 'outbox')
    await outboxOn(dir, 2)
    const refused = await run(['outbox', 'rename', 'pi-b', '--outbox-dir', dir])
    expect(refused.code).toBe(1)
    expect(refused.err).toContain('2 readings of pi-a may have been sent already')
    const file = join(dir, '..', 'sent.jsonl')
    const { code, out } = await run(['outbox', 'rename', 'pi-b', '--export', file, '--outbox-dir', dir])
    expect(code).toBe(0)
    expect(out).toContain(`-t sensehat/pi-a/readings -l < ${file}`)
    expect((await readFile(file, 'utf8')).trim().split('\n')).toHaveLength(2)
    const status = JSON.parse((await run(['outbox', 'status', '--json', '--outbox-dir', dir])).out)
    expect(status).toMatchObject({ readings: 1, hostnames: ['pi-b'] })
  })

  it('is refused while a publisher runs on the outbox', async () => {
    const dir = join(temporaryDirectory(), 'outbox')
    await outboxOn(dir, 0, true)
    const { code, err } = await run(['outbox', 'rename', 'pi-b', '--outbox-dir', dir])
    expect(code).toBe(78)
    expect(err).toContain(`is in use by process ${process.pid}`)
  })
})

describe('what makes no sense', () => {
  it.each<[string, string[], number, string]>([
    ['a word that is none', ['outbox', 'staus', '--outbox-dir', 'x'], 2, 'did you mean status?'],
    ['nothing', ['outbox'], 2, 'there are status and rename'],
    ['a rename without a name', ['outbox', 'rename'], 2, 'wants one name'],
    ['a status with a name', ['outbox', 'status', 'x'], 2, 'there is no snowhat publisher outbox status x'],
    ['an outbox in memory', ['outbox', 'status'], 2, 'in memory'],
    ['a directory without one', ['outbox', 'status', '--outbox-dir', '/nowhere'], 1, 'there is no outbox in /nowhere'],
    ['another word', ['inbox'], 2, 'snowhat publisher has no inbox'],
    ['an option of another command', ['--json', '--simulate'], 2, '--json is for snowhat publisher outbox'],
  ])('%s is answered in one sentence', async (_what, argv, code, words) => {
    const result = await run(argv)
    expect(result.code).toBe(code)
    expect(result.err).toContain(words)
    expect(result.out).toBe('')
  })
})
