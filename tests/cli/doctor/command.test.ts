import { chmodSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Finding } from '../../../cli/doctor/finding.ts'
import { snowhat } from '../../support/command.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { freePort } from '../../support/ports.ts'

interface Result {
  readonly sides: readonly string[]
  readonly findings: readonly Finding[]
  readonly broken: number
  readonly first: string | null
}

async function doctor(args: readonly string[], env: Record<string, string> = {}) {
  const nowhere = `mqtt://127.0.0.1:${await freePort()}`
  const elsewhere = `http://127.0.0.1:${await freePort()}`
  const { code, out, err } = await snowhat(['doctor', ...args, '--json'], {
    SNOWHAT_MQTT_URL: nowhere,
    SNOWHAT_SNOWFLAKE_URL: elsewhere,
    ...env,
  })
  expect(err).toBe('')
  const result = JSON.parse(out) as Result
  const of = (id: string) => result.findings.filter((finding) => finding.id === id)
  return { code, out, result, of }
}

describe('snowhat doctor', () => {
  it('goes on when neither broker nor Snowflake is there: 1, one JSON object, every check has its say', async () => {
    const { code, result, of } = await doctor(['--bridge'])
    expect(code).toBe(1)
    expect(of('broker.address')).toMatchObject([{ status: 'broken', fix: expect.stringContaining('nothing listens') }])
    expect(of('snowflake.reach')).toMatchObject([
      { status: 'broken', fix: expect.stringContaining('snowhat emulator') },
    ])
    expect(of('broker.sign-in')).toMatchObject([{ status: 'skipped', why: 'the broker cannot be reached' }])
    expect(of('snowflake.canary')).toMatchObject([{ status: 'skipped' }])
    expect(result.first).toBe('broker.address')
  })

  it('names everything that is wrong with the configuration, and looks at the rest', async () => {
    const directory = temporaryDirectory()
    const file = join(directory, 'snowhat.yaml')
    writeFileSync(file, 'mqtt: { ulr: x }\nspoool: {}\nbatch: { max_rows: many }\n')
    const { of } = await doctor(['--bridge', '--config', file], {
      SNOWHAT_MQTT_USRNAME: 'x',
      SNOWHAT_HTTP_PORT: '99999',
      SNOWHAT_SNOWFLAKE_PAT_FILE: join(directory, 'none'),
    })
    const said = of('configuration.settings').map(({ what, fix }) => `${what} ${fix}`)
    expect(said).toHaveLength(6)
    for (const words of [
      'mqtt.ulr',
      'spoool',
      'batch.max_rows',
      'SNOWHAT_MQTT_USERNAME',
      'http.port',
      join(directory, 'none'),
    ])
      expect(
        said.some((one) => one.includes(words)),
        words,
      ).toBe(true)
    expect(of('broker.address')).toMatchObject([{ status: 'broken' }])
  })

  it('warns of secrets that others may read, and shows none', async () => {
    const directory = temporaryDirectory()
    const [open, closed] = [join(directory, 'open'), join(directory, 'closed')]
    for (const file of [open, closed]) writeFileSync(file, 'hunter2-hunter2\n', { mode: 0o600 })
    chmodSync(open, 0o644)
    const { out, of } = await doctor(['--bridge'], {
      SNOWHAT_MQTT_PASSWORD_FILE: open,
      SNOWHAT_SNOWFLAKE_PAT_FILE: closed,
      SNOWHAT_HTTP_TOKEN: 'token-of-the-page',
    })
    expect(of('configuration.secrets')).toMatchObject([{ status: 'warn', fix: `chmod 600 ${open}` }])
    expect(out).not.toContain('hunter2')
    expect(out).not.toContain('token-of-the-page')
  })

  it('shows no password that stands in an address', async () => {
    const { out } = await doctor(['--bridge'], { SNOWHAT_MQTT_URL: 'mqtt://me:hunter2-hunter2@127.0.0.1:1' })
    expect(out).not.toContain('hunter2')
  })

  it('tries the disk of the outbox, and leaves nothing there', async () => {
    const directory = temporaryDirectory()
    const { of, result } = await doctor([], { SNOWHAT_PUBLISHER_OUTBOX_DIR: directory, SNOWHAT_SNOWFLAKE_URL: '' })
    expect(result.sides).toEqual(['pi'])
    expect(of('machine.directory')).toMatchObject([{ status: 'ok' }])
    expect(of('machine.disk-sync')[0]?.what).toMatch(/^making 4 KiB durable for the outbox takes [\d.]+ ms/)
    expect(of('machine.disk-space')[0]?.what).toMatch(/MiB are free/)
    expect(of('pi.outbox')).toMatchObject([{ status: 'skipped', why: `there is no outbox in ${directory}` }])
    expect(readdirSync(directory)).toEqual([])
  })

  it('says so when a directory is none', async () => {
    const file = join(temporaryDirectory(), 'file')
    writeFileSync(file, '')
    const { of } = await doctor(['--bridge'], { SNOWHAT_SPOOL_DIR: file })
    expect(of('machine.directory')).toMatchObject([{ status: 'broken', fix: expect.stringContaining('chown') }])
  })

  it('writes for people: groups in order, marks, and what to begin with', async () => {
    const { code, out } = await snowhat(['doctor', '--pi'], {
      SNOWHAT_MQTT_URL: `mqtt://127.0.0.1:${await freePort()}`,
    })
    expect(code).toBe(1)
    const headings = out.split('\n').filter((line) => /^[A-Z]\w+( \w+)?$/.test(line))
    expect(headings).toEqual(['Configuration', 'This machine', 'Broker', 'Bridge', 'Pi', 'Snowflake'])
    expect(out).toMatch(/✗ broker\.address/)
    expect(out).toMatch(/\nBegin with broker\.address: nothing listens there/)
    expect(out).not.toContain('\u001b')
  })
})
