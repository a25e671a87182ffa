import { generateKeyPairSync } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { blocksOf } from '../docs/markdown.ts'
import { emulatorAt, Service } from '../emulator-fidelity/service.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { privateCa } from '../support/private-ca.ts'
import { snowhat } from '../support/program.ts'
import { describeWithSdk, judge, runPython, SDK, type Verdict } from './snowflake-sdk/judge.ts'

const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey

const closing: (() => void | Promise<void>)[] = []
const cleanUp: CleanUp = (close) => {
  closing.unshift(close)
}

afterAll(async () => {
  for (const close of closing) await close()
})

/** The emulator as a user starts it, and what the SDK in this Python makes of it. */
async function judged(python: string, { tls }: { readonly tls: boolean }) {
  const directory = temporaryDirectory(cleanUp)
  const ca = tls ? privateCa(directory) : undefined
  const secure = ca ? ['--tls-cert', ca.certFile, '--tls-key', ca.keyFile] : []
  const args = ['emulator', '--host', 'localhost', '--port', '0', '--data', directory, ...secure]
  const line = await snowhat(args, { cleanUp }).line(/the emulator is running/)
  const url = new URL(/https?:\/\/localhost:\d+/.exec(line)?.[0] ?? '')
  const properties = {
    scheme: url.protocol.slice(0, -1),
    host: url.hostname,
    port: url.port,
    account: 'EMU',
    user: 'SENSEHAT_STREAMING_USER',
    private_key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
  }
  const verdict = await judge(python, properties, directory, ca ? { SSL_CERT_FILE: ca.caFile } : {})
  return { verdict, directory, service: new Service({ ...emulatorAt(url.origin, key), ca: ca?.ca }) }
}

type World = Awaited<ReturnType<typeof judged>>

/** Both at once: the SDK mostly waits. */
const worlds = new Map<boolean, Promise<World>>()

beforeAll(() => {
  const pythons = [
    [SDK.plain, false],
    [SDK.tls, true],
  ] as const
  for (const [python, tls] of pythons) {
    if (python === '') continue
    const world = judged(python, { tls })
    // Who needs it is told.
    world.catch(() => undefined)
    worlds.set(tls, world)
  }
})

function promisesOfNamedChannels(world: () => { verdict: Verdict; service: Service }): void {
  it('commits 10,000 rows', async () => {
    const { verdict, service } = world()
    expect(verdict.all_rows.opened).toMatchObject({ code: 'SUCCESS', committed: null, parsed: 0 })
    expect(verdict.all_rows.status).toMatchObject({ code: 'SUCCESS', committed: '10000', parsed: 10_000 })
    expect(verdict.all_rows.status).toMatchObject({ inserted: 10_000, errors: 0, error_at: null })
    // With those of the recovery: each once.
    const distinct = `SELECT COUNT(DISTINCT uuid) FROM ${service.table} WHERE uuid LIKE 'sdk-rows-%'`
    expect([await service.rowCount('sdk-rows-'), Number(await service.value(distinct))]).toEqual([10_100, 10_100])
  })

  it('finds the committed offset token when it opens the channel again, and goes on from there', () => {
    const { opened, status } = world().verdict.recovery
    expect([opened.committed, status.committed, status.inserted]).toEqual(['10000', '10100', 10_100])
  })

  it('is told that another client has taken its channel, which goes on with it', () => {
    const { opened, error, status } = world().verdict.take_over
    expect([opened.committed, error, status.committed, status.inserted]).toEqual([
      '10',
      'InvalidChannelError',
      '20',
      20,
    ])
  })

  it('sees a bad row in the counters with message, offset and time, and it is in the error table', async () => {
    const { verdict, service } = world()
    const { status } = verdict.bad_rows
    expect(status).toMatchObject({ committed: '3', parsed: 3, inserted: 2, errors: 1, error_up_to: '3' })
    expect(status.error).toContain('Numeric value')
    expect(Math.abs((status.error_at ?? 0) * 1000 - Date.now())).toBeLessThan(3_600_000)
    const bad = `SELECT COUNT(*) FROM ERROR_TABLE(${service.table}) WHERE error_data:"$1" LIKE '%sdk-bad-2%'`
    expect(Number(await service.value(bad))).toBe(1)
  })

  it('drops the channel, which begins anew', () => {
    expect(world().verdict.drop.opened).toMatchObject({ code: 'SUCCESS', committed: null, parsed: 0 })
  })
}

describeWithSdk('the official SDK 1.4.0 over plain HTTP', 'plain', () => {
  let world: World
  beforeAll(async () => {
    world = (await worlds.get(false)) as World
  })
  promisesOfNamedChannels(() => world)

  it('runs the example of docs/emulator.md', async () => {
    const { directory, service } = world
    const [example] = blocksOf('docs/emulator.md').filter(({ language }) => language === 'python')
    writeFileSync(join(directory, 'rsa_key.p8'), key.export({ type: 'pkcs8', format: 'pem' }))
    const program = (example?.text ?? '')
      .replace('8085', new URL(service.place.url).port)
      .replace('127.0.0.1', 'localhost')
    await runPython(SDK.plain, ['-'], { input: program, directory })
    expect(await service.rowCount('example-')).toBe(1)
  })
})

describeWithSdk('the newest official SDK over TLS with a private CA', 'tls', () => {
  let world: World
  beforeAll(async () => {
    world = (await worlds.get(true)) as World
  })
  promisesOfNamedChannels(() => world)

  it('appends to Elastic Channels by pipe and by table, without an offset token', async () => {
    const { verdict, service } = world
    expect(verdict.elastic).toEqual({ told: [], reserved: 'ElasticChannelReservedName' })
    await service.holdsRows('sdk-elastic-pipe-', 100)
    await service.holdsRows('sdk-elastic-table-', 100)
    const bad = `SELECT COUNT(*) FROM ERROR_TABLE(${service.table}) WHERE error_data:"$1" LIKE '%sdk-elastic-%-bad%'`
    expect(Number(await service.value(bad))).toBe(2)
  })
})
