import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { READINGS_LIMITS } from '../../../bridge/routes/message.ts'
import { recordRoute } from '../../../bridge/routes/record-route.ts'
import { readRouteFile } from '../../../bridge/routes/route-file.ts'
import { Routes, routesOf } from '../../../bridge/routes/routes.ts'
import { ENVELOPE, SQL_TYPES } from '../../../src/table-columns.ts'
import { createTopics } from '../../../src/topics.ts'
import { defaultSettings, snowflakeSettings } from '../../support/bridge-settings.ts'
import { DESTINATION } from '../../support/pipes.ts'

const topics = createTopics('sensehat', 'homeassistant')

function fileWith(text: string): string {
  const file = join(mkdtempSync(join(tmpdir(), 'snowhat-route-')), 'route.yaml')
  writeFileSync(file, text)
  return file
}

const WEATHER = 'name: weather\ntopic: weather/+/observation\ntable: OBSERVATIONS\ncolumns: {temperature: number}\n'

describe('the routes of a bridge', () => {
  it('are the Sense HAT, what phones send and do, and those of files', async () => {
    const files = [fileWith(WEATHER)]
    const routes = await routesOf({ ...defaultSettings, routes: { files } }, topics)
    expect(routes.filters).toEqual([
      'sensehat/+/readings',
      'phones/+/readings',
      'phones/+/activity',
      'weather/+/observation',
    ])
    expect(routes.ofTopic('weather/roof/observation')?.deviceOf('weather/roof/observation')).toBe('weather.roof')
    expect(routes.ofDevice('pi')?.name).toBe('sensehat')
    expect(routes.ofDevice('phone.pixel')?.destination).toMatchObject({ database: 'ACTIVITY_DB', schema: 'RAW_DATA' })
    expect(routes.ofDevice('gone.roof')).toBeUndefined()
  })

  it('give a device the pipe it had before, and one object to each pipe', async () => {
    const routes = await routesOf(defaultSettings, topics)
    const route = routes.ofDevice('pi')
    if (route === undefined) throw new Error('the Sense HAT has a route')
    expect(routes.pipeOf('pi', route, 'OLD_PIPE')).toEqual({ database: 'DEMO', schema: 'DEMO', pipe: 'OLD_PIPE' })
    expect(routes.pipeOf('pi', route, null)).toBe(routes.pipeOf('other', route, null))
  })

  it('cannot be two of one name, or on one topic', () => {
    const one = { name: 'a', topic: 'a/+', destination: DESTINATION, columns: new Map(), limits: READINGS_LIMITS }
    expect(() => new Routes([recordRoute(one), recordRoute({ ...one, topic: 'b/+' })])).toThrow(
      'two routes are called a',
    )
    expect(() => new Routes([recordRoute(one), recordRoute({ ...one, name: 'b' })])).toThrow('two routes read a/+')
  })
})

describe('the file of a route', () => {
  it('names topic, table and columns; rows go by the default pipe of the table', async () => {
    expect(await readRouteFile(fileWith(WEATHER), snowflakeSettings({ database: 'HOME' }))).toMatchObject({
      name: 'weather',
      destination: { database: 'HOME', schema: 'DEMO', pipes: ['OBSERVATIONS-STREAMING'] },
      columns: new Map([['temperature', 'number']]),
    })
  })

  it.each([
    ['weather_observations', 'WEATHER_OBSERVATIONS-STREAMING'],
    [`'"My"'`, 'My-STREAMING'],
  ])('with the table %s means the default pipe that Snowflake makes for it', async (table, pipe) => {
    const file = fileWith(WEATHER.replace(/table: .*/, `table: ${table}`))
    expect((await readRouteFile(file, snowflakeSettings())).destination.pipes).toEqual([pipe])
  })

  it.each([
    [WEATHER.replace('table:', 'tabel:'), /has no setting tabel/],
    [WEATHER.replace('name: weather', 'name: phone'), /name: must be .* none of sensehat, phone, activity, doctor/],
    [WEATHER.replace('+', '#'), /must have exactly one \+/],
    [WEATHER.replace('number', 'float'), /columns.temperature: must be one of text, integer/],
    [`${WEATHER}pipes: [A]\n`, /must name either the table/],
    [`${WEATHER}scalar: humidity\n`, /scalar: humidity is none of the columns/],
    ['- 1\n', /the file: /],
    ['a: [\n', /cannot read the route in/],
  ])('is refused with one sentence when something is wrong in it', async (text, sentence) => {
    await expect(readRouteFile(fileWith(text), snowflakeSettings())).rejects.toThrow(sentence)
  })
})

describe('the example in the documentation', () => {
  it('is the file beside it, and a route with a table that has its columns', async () => {
    const directory = fileURLToPath(new URL('../../../docs/', import.meta.url))
    const [page, file, sql] = ['routes.md', 'examples/route-weather.yaml', 'examples/route-weather.sql'].map((name) =>
      readFileSync(join(directory, name), 'utf8'),
    )
    expect(page).toContain(file)
    const route = await readRouteFile(join(directory, 'examples/route-weather.yaml'), snowflakeSettings())
    for (const [key, kind] of [...route.columns, ...ENVELOPE.map(({ key, kind }) => [key, kind] as const)])
      expect(sql).toContain(`\n  ${key.toUpperCase()} ${SQL_TYPES[kind]}`)
  })
})
