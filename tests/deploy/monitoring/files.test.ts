import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import { type Client, emulated, TABLE } from '../../emulator/harness.ts'
import { putPhoneRows } from '../../emulator/phone-tables.ts'
import { metricFamilies } from '../../support/metric-families.ts'
import { describeWithPrometheus, MONITORING, promtool } from '../../support/prometheus.ts'
import { PHONES_FILES, PIPELINE_FILES, promQl, queriesOf, READINGS_FILES, readDashboard } from './dashboards.ts'

const ROOT = fileURLToPath(new URL('../../../', import.meta.url))
const ALERT_TESTS = fileURLToPath(new URL('./alerts.test.yml', import.meta.url))

interface Rule {
  readonly alert?: string
  readonly record?: string
  readonly expr: string
}
const rules = (
  parse(readFileSync(join(MONITORING, 'rules.yml'), 'utf8')) as { groups: { rules: Rule[] }[] }
).groups.flatMap((group) => group.rules)
const alerts = rules.flatMap(({ alert }) => alert ?? [])

describeWithPrometheus('promtool', () => {
  it('finds no fault with the rules', () => {
    expect(promtool(['check', 'rules', join(MONITORING, 'rules.yml')])).toContain('SUCCESS')
  })

  it('sees every alert come when it must, and stay away when it must', () => {
    expect(promtool(['test', 'rules', ALERT_TESTS])).toContain('SUCCESS')
  })
})

describe('alerts', () => {
  it.each(alerts)('%s is tried both ways, and the documentation says what to do', (alert) => {
    const tests = readFileSync(ALERT_TESTS, 'utf8')
    expect(tests).toContain(`"${alert} comes"`)
    expect(tests).toContain(`"${alert} stays away"`)
    expect(readFileSync(join(ROOT, 'docs/metrics.md'), 'utf8')).toContain(`| \`${alert}\` |`)
  })
})

describe('dashboards', () => {
  it.each([...PIPELINE_FILES, ...READINGS_FILES, ...PHONES_FILES])(
    '%s is what Grafana takes, and no panel lies over another',
    (file) => {
      const { panels } = readDashboard(file)
      expect(new Set(panels.map(({ id }) => id)).size).toBe(panels.length)
      const taken = new Set<string>()
      for (const { gridPos } of panels) {
        expect(gridPos.x + gridPos.w).toBeLessThanOrEqual(24)
        for (let x = gridPos.x; x < gridPos.x + gridPos.w; x++)
          for (let y = gridPos.y; y < gridPos.y + gridPos.h; y++) {
            expect(taken.has(`${x} ${y}`), `${file} ${x} ${y}`).toBe(false)
            taken.add(`${x} ${y}`)
          }
      }
    },
  )

  it('and rules ask only for metrics there are', async () => {
    const known = new Set((await metricFamilies()).map(({ name }) => name))
    for (const { record } of rules) if (record !== undefined) known.add(record)
    const asked = [
      ...PIPELINE_FILES.flatMap((file) => queriesOf(readDashboard(file)).map(({ text }) => text)),
      ...rules.map(({ expr }) => expr),
    ]
    for (const text of asked)
      for (const [name] of promQl(text).matchAll(/\b(?:snowhat|process|nodejs)_\w+/g))
        expect(known.has(name) || known.has(name.replace(/_(?:bucket|sum|count)$/, '')), name).toBe(true)
  })

  it.each([
    ['readings', READINGS_FILES],
    ['phones', PHONES_FILES],
  ])('of %s are the same for both plugins', (_what, files) => {
    const [one, other] = files.map((file) => queriesOf(readDashboard(file)))
    expect(one).toEqual(other)
  })

  it('ask Snowflake what it can answer: every query runs on the emulator and finds the rows', async () => {
    const { client, clock } = await emulated()
    const token = (await client.open('pi-1')).json.next_continuation_token
    const at = Math.floor(clock.now() / 1000)
    const rows = [1, 2, 4].map((seq) => ({
      uuid: `pi-1-aaaaaaaa-${seq}`,
      hostname: 'pi-1',
      stream: 'aaaaaaaa',
      seq,
      ts: at + seq,
      datetimestamp: new Date((at + seq) * 1000).toISOString(),
      ingestion_timestamp: new Date((at + seq + 2) * 1000).toISOString(),
      temperature: 21.5,
      humidity: 45,
      pressure: 1013,
      cputempc: 52,
      simulated: true,
    }))
    await client.append('pi-1', token, [
      ...rows,
      { ...rows[0] },
      { uuid: 'bad', hostname: 'pi-1', temperature: 'warm' },
    ])
    await clock.advance(1000)
    await client.status(['pi-1'])
    expect((await client.sql(`SELECT COUNT(*) FROM ${TABLE}`)).json.data).toEqual([['4']])
    await everyQueryFindsRows(client, READINGS_FILES[0] as string, at, { hostname: 'pi-1' })
  })

  it('of phones do so too, when a phone walked, lost a window and had one that was refused', async () => {
    const world = await emulated()
    const at = Math.floor(world.clock.now() / 1000)
    const iso = (second: number) => new Date((at + second) * 1000).toISOString()
    const windows = [1, 2, 4].map((seq) => ({
      uuid: `activity.phone-a-aaaaaaaa-${seq}`,
      device: 'phone-a',
      stream: 'aaaaaaaa',
      seq,
      window_end: iso(2 * seq),
      activity: 'walking',
      confidence: 0.9,
      avg_magnitude: 3.5,
      n_samples: 250,
      coverage: 1,
      features: { probabilities: { stationary: 0.05, walking: 0.9, running: 0.05 } },
      phone_activity: 'walking',
      quality: '',
    }))
    await putPhoneRows(world, 'activity', [...windows, { uuid: 'bad', device: 'phone-a', confidence: 'high' }])
    const message = { uuid: 'phone.phone-a-aaaaaaaa-1', device: 'phone-a', stream: 'aaaaaaaa', seq: 1 }
    await putPhoneRows(world, 'record', [{ ...message, received_at: iso(1), clock_skew_ms: 40 }])
    await everyQueryFindsRows(world.client, PHONES_FILES[0] as string, at, { device: 'phone-a' })
  })
})

/** Each query of a dashboard with what the plugins make of their macros, a minute around `at` (epoch seconds). */
async function everyQueryFindsRows(
  client: Client,
  file: string,
  at: number,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const between = [at - 60, at + 60].map((second) => `'${new Date(second * 1000).toISOString()}'::TIMESTAMP_NTZ`)
  for (const { panel, text } of queriesOf(readDashboard(file))) {
    const sql = text
      .replaceAll(/\$__timeFilter\((\w+)\)/g, `$1 > ${between[0]} AND $1 < ${between[1]}`)
      .replaceAll('$__interval_ms', '60000')
      .replaceAll(/\$\{(\w+):sqlstring\}/g, (_, name) => `'${variables[name]}'`)
    expect(sql, panel).not.toContain('$')
    const { json, status } = await client.sql(sql)
    expect(status, `${panel}: ${json.message}`).toBe(200)
    expect(json.data.length, panel).toBeGreaterThan(0)
    // A value that no row has is a path or a name that is wrong.
    for (const [i] of json.data[0].entries())
      expect(
        json.data.some((row: readonly unknown[]) => row[i] !== null),
        `${panel}, column ${i + 1}`,
      ).toBe(true)
  }
}

describe('compose.yaml', () => {
  const { services } = parse(readFileSync(join(ROOT, 'compose.yaml'), 'utf8')) as {
    services: Record<string, { profiles?: string[]; image: string; volumes: string[]; healthcheck?: object }>
  }
  it.each(['prometheus', 'grafana'])('has %s in the profile monitoring, pinned, and mounts files there are', (name) => {
    const service = services[name]
    expect(service?.profiles).toEqual(['monitoring'])
    expect(service?.image).toMatch(/:v?\d+\.\d+\.\d+$/)
    expect(service?.healthcheck).toBeDefined()
    for (const choice of ['none', 'michelin', 'grafana'])
      for (const volume of service?.volumes ?? []) {
        const [from = ''] = volume.replace(/\$\{SNOWHAT_GRAFANA_SNOWFLAKE:-none\}/, choice).split(':')
        if (from.startsWith('./deploy/')) expect(existsSync(join(ROOT, from)), from).toBe(true)
      }
  })
})
