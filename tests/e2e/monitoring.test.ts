import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { PIPELINE_FILES, promQl, queriesOf, readDashboard } from '../deploy/monitoring/dashboards.ts'
import { startAnyMosquitto } from '../support/any-mosquitto.ts'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { freePorts } from '../support/ports.ts'
import { snowhat } from '../support/program.ts'
import { describeWithPrometheus, type Prometheus, promtool, startPrometheus } from '../support/prometheus.ts'

/** Of panels whose curves are there only when something is wrong, or after an hour, or with a token. */
const MAY_BE_EMPTY = new Set(['What is wrong', 'Dead letters', 'Errors', 'Channels opened again', 'Cost this month'])

describeWithPrometheus('Prometheus with the configuration of deploy/, at a bridge with two Pis', () => {
  const undo: (() => unknown)[] = []
  const cleanUp: CleanUp = (work) => {
    undo.push(work)
  }
  let prometheus: Prometheus
  let metricsUrl: string

  beforeAll(async () => {
    const ports = await freePorts('emulator', 'page')
    const env = {
      SNOWHAT_MQTT_URL: await startAnyMosquitto(cleanUp),
      SNOWHAT_SNOWFLAKE_URL: `http://127.0.0.1:${ports.emulator}`,
      SNOWHAT_HTTP_PORT: String(ports.page),
      SNOWHAT_BATCH_MAX_AGE_MS: '300',
      SNOWHAT_BRIDGE_STATUS_INTERVAL_MS: '200',
      SNOWHAT_SPOOL_DIR: join(temporaryDirectory(cleanUp), 'spool'),
      SNOWHAT_EMULATOR_PORT: String(ports.emulator),
      SNOWHAT_EMULATOR_DATA: join(temporaryDirectory(cleanUp), 'warehouse'),
      SNOWHAT_EMULATOR_COMMIT_DELAY: '300ms',
    }
    const start = (...args: string[]) => snowhat(args, { env, cleanUp })
    await start('emulator').line(/the emulator is running/)
    const bridge = start('bridge')
    await bridge.line(/connected to the broker/)
    for (const hostname of ['pi-one', 'pi-two']) start('publisher', '-s', '-r', '0.2', '--hostname', hostname)
    metricsUrl = `http://127.0.0.1:${ports.page}/metrics`
    prometheus = await startPrometheus(`127.0.0.1:${ports.page}`, cleanUp)
  })

  afterAll(async () => {
    for (const work of undo.reverse()) await work()
  })

  it('sees the bridge', async () => {
    await eventually('the target is up', async () => {
      const [target, ...others] = await prometheus.targets()
      if (target?.health !== 'up') throw new Error(target?.lastError)
      return others.length === 0
    })
  })

  it('counts every device up to the table', async () => {
    for (const device of ['pi-one', 'pi-two'])
      await eventually(`rows of ${device} in the table`, async () => {
        const [found] = await prometheus.query(`snowhat_device_rows_committed_total{device="${device}"}`)
        return Number(found?.value[1]) > 10
      })
    const [healthy] = await prometheus.query('snowhat_healthy')
    expect(healthy?.value[1]).toBe('1')
    expect((await prometheus.query('snowhat_device_readings_missing > 0')).length).toBe(0)
  })

  it('answers every query of the dashboards, with data where there must be some', async () => {
    for (const file of PIPELINE_FILES)
      for (const { panel, text } of queriesOf(readDashboard(file))) {
        const ask = () => prometheus.query(promQl(text))
        if (MAY_BE_EMPTY.has(panel)) await ask()
        else await eventually(`data for ${panel}: ${text}`, async () => (await ask()).length > 0)
      }
  })

  it('evaluates every rule without an error', async () => {
    await eventually('all rules are well', async () => {
      const rules = await prometheus.rules()
      const bad = rules.filter(({ health }) => health !== 'ok')
      if (bad.length > 0) throw new Error(bad.map(({ name, lastError }) => `${name}: ${lastError}`).join('; '))
      return rules.length > 0
    })
    for (const record of ['readings_received:rate5m', 'rows_committed:rate5m', 'commit_lag_seconds:p95_5m'])
      await eventually(record, async () => (await prometheus.query(`snowhat:${record}`)).length > 0)
  })

  it('and promtool find no fault with names, types and help', async () => {
    const text = await (await fetch(metricsUrl)).text()
    expect(promtool(['check', 'metrics'], text)).toBe('')
  })
})
