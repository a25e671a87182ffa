import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually, patient } from '../support/eventually.ts'
import { freePorts } from '../support/ports.ts'
import { type Ended, type Program, snowhat } from '../support/program.ts'
import { countRows, readTable, upTo } from '../support/table.ts'
import { takenPort } from '../support/taken-port.ts'

/** What the contract says the last line holds. */
interface Proof {
  readonly published: number
  readonly received: number
  readonly redelivered: number
  readonly committed: number
  readonly rejected: number
  readonly duplicates: number
  readonly missing: number
  readonly rows: number
  readonly seconds: number
}

interface Demo {
  readonly program: Program
  readonly data: string
  readonly snowpipe: string
}

async function demo(args: readonly string[], data = join(temporaryDirectory(), 'demo')): Promise<Demo> {
  const ports = await freePorts('mqtt', 'snowpipe', 'page')
  const program = snowhat([
    'demo',
    ...['--data', data],
    ...['--mqtt-port', String(ports.mqtt)],
    ...['--snowpipe-port', String(ports.snowpipe)],
    ...['--port', String(ports.page)],
    ...args,
  ])
  return { program, data, snowpipe: `http://127.0.0.1:${ports.snowpipe}` }
}

function proofOf({ stdout }: Ended): Proof {
  return JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as Proof
}

describe('snowhat demo', () => {
  it('proves in its last line that every reading is in the table once, and a count of our own agrees', async () => {
    const { program, data } = await demo(['--pis', '3', '--rate', '5', '--for', '8s', '--json'])
    const ended = await program.ended(40_000)
    expect(ended).toMatchObject({ code: 0, signal: null })
    const proof = proofOf(ended)
    expect(Object.keys(proof)).toEqual(
      'published received redelivered committed rejected duplicates missing rows seconds'.split(' '),
    )
    expect(proof).toMatchObject({
      received: proof.published,
      committed: proof.published,
      rows: proof.published,
      rejected: 0,
      duplicates: 0,
      missing: 0,
    })
    const table = await readTable(data)
    expect(table.rows).toBe(proof.published)
    expect(table.streams.map(({ hostname }) => hostname)).toEqual(['pi-attic', 'pi-cellar', 'pi-kitchen'])
    for (const { seqs } of table.streams) expect(seqs).toEqual(upTo(seqs.length))
    // 5 per second for 8 seconds, less what starting takes.
    for (const { seqs } of table.streams) expect(seqs.length).toBeGreaterThan(25)
  })

  // How soon is measured in bench/first-row.ts: here it would be a test of what else the machine does.
  it('has rows in the table while it runs', async () => {
    const { program, snowpipe } = await demo(['--json'])
    await eventually('a row in the table', async () => (await countRows(snowpipe)) > 0, 30_000)
    program.kill('SIGINT')
    await program.ended()
  })

  it('ends at once at the second Ctrl-C', async () => {
    // A commit that takes for ever: the drain would wait for it.
    const { program, snowpipe } = await demo(['--emulator-commit-delay', '1h', '--json'])
    await eventually('the emulator', async () => (await countRows(snowpipe)) === 0)
    const ended = program.ended()
    // Two at once would reach the process as one.
    const again = setInterval(() => program.kill('SIGINT'), 200)
    const asked = performance.now()
    expect(await ended.finally(() => clearInterval(again))).toMatchObject({ code: 130 })
    expect(performance.now() - asked).toBeLessThan(patient(3_000))
  })

  it('says in words for people how it ended when it is not asked for JSON', async () => {
    const { program } = await demo(['--for', '2s'])
    const ended = await program.ended()
    expect(ended.code).toBe(0)
    expect(ended.stdout).toMatch(/readings published, \d+ rows counted in .*: every reading is in the table, once\./)
  })

  it('proves itself again in a directory that holds the rows of an earlier run', async () => {
    const first = await demo(['--for', '3s', '--json'])
    const one = proofOf(await first.program.ended())
    const second = await demo(['--for', '3s', '--json'], first.data)
    const ended = await second.program.ended()
    expect(ended.code).toBe(0)
    const two = proofOf(ended)
    expect(two.rows).toBe(two.published)
    const { rows, streams } = await readTable(first.data)
    expect(rows).toBe(one.published + two.published)
    expect(streams).toHaveLength(6)
    for (const { seqs } of streams) expect(seqs).toEqual(upTo(seqs.length))
  })

  it('ends by itself after --max-batches batches of -b readings', async () => {
    const { program, data } = await demo(['--pis', '2', '--rate', '10', '--max-batches', '2', '-b', '10', '--json'])
    const ended = await program.ended()
    expect(ended.code).toBe(0)
    expect(proofOf(ended).published).toBe(40)
    const { streams } = await readTable(data)
    expect(streams.map(({ seqs }) => seqs)).toEqual([upTo(20), upTo(20)])
  })

  it.each(['--mqtt-port', '--snowpipe-port', '--port'])('names %s when its port is taken', async (option) => {
    const port = await takenPort()
    const { program } = await demo(['--for', '2s', '--json', option, String(port)])
    const { code, stdout, stderr } = await program.ended()
    expect(code).toBe(1)
    expect(stdout).toBe('')
    expect(stderr).toMatch(new RegExp(`^snowhat: port ${port} is taken.*\n.*${option}\\b.*\n$`))
  })

  it('says that a directory is in use by another demo', async () => {
    const first = await demo(['--json'])
    await eventually('the first demo', async () => (await countRows(first.snowpipe)) >= 0)
    const second = await demo(['--for', '2s', '--json'], first.data)
    const { code, stderr } = await second.program.ended()
    expect(code).toBe(1)
    expect(stderr).toMatch(/^snowhat: cannot open .*warehouse\.duckdb/)
    expect(stderr).toContain('--data')
    expect(stderr).not.toMatch(/^\s+at /m)
  })
})
