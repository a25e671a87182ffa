import { cpSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it, onTestFinished } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'
import { eventually } from '../support/eventually.ts'
import { type Bench, startBench } from './bench.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))

/** As a user sets it up who follows docs/routes.md. */
async function withWeather(): Promise<Bench> {
  const sql = temporaryDirectory()
  cpSync(join(root, 'sql'), sql, { recursive: true })
  cpSync(join(root, 'docs/examples/route-weather.sql'), join(sql, 'weather.sql'))
  const bench = await startBench({
    emulator: ['--sql-dir', sql],
    env: { SNOWHAT_ROUTES_FILES: join(root, 'docs/examples/route-weather.yaml') },
  })
  onTestFinished(() => bench.close())
  return bench
}

it("brings a topic of one's own to a table of one's own, beside the Pis, each device in its own channel", async () => {
  const bench = await withWeather()
  await bench.publishTo('weather/Roof Garden/observation', '{"temperature":21.5,"wind":{"kmh":3},"battery":80}')
  await bench.publishTo('weather/cellar/observation', '{"stream":"abcdefgh","seq":1,"temperature":12}')
  await bench.publishTo('weather/cellar/observation', '{"stream":"abcdefgh","seq":1,"temperature":12}')
  await bench.publishTo('weather/cellar/observation', '{"stream":"abcdefgh","seq":2,"temperature":"warm"}')
  await bench.publishTo('weather/cellar/observation', '{"stream":"abcdefgh","seq":3,"temperature":13}')
  await bench.publish('pi', '{"temperature":20}')
  const rows = 'SELECT DEVICE, TEMPERATURE, EXTRA FROM DEMO.DEMO.WEATHER_OBSERVATIONS ORDER BY TEMPERATURE'
  await eventually('three observations in the table', async () => (await bench.ask(rows)).length === 3)
  expect(await bench.ask(rows)).toEqual([
    ['cellar', '12', null],
    ['cellar', '13', null],
    ['Roof Garden', '21.5', '{"battery":80}'],
  ])
  await eventually('the reading of the Pi', async () => {
    const [[count] = []] = await bench.ask('SELECT COUNT(*) FROM DEMO.DEMO.SENSEHAT_SENSOR_DATA')
    return Number(count) === 1
  })
  const devices = (await bench.devices()).map(({ hostname }) => hostname.replace(/[0-9a-f]{6}$/, '<hash>'))
  expect(devices.sort()).toEqual(['pi', 'weather.cellar', 'weather.roof-garden-<hash>'])
  expect(await bench.counters('weather.cellar')).toMatchObject({ received: 2, redelivered: 1, dead_letters: 1 })
})
