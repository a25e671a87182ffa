import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadSettings, type SettingSources } from '../../src/config.ts'
import type { SnowhatError } from '../../src/errors.ts'
import { type Section, secret } from '../../src/setting.ts'
import { temporaryDirectory } from '../support/directory.ts'

const sections = {
  mqtt: {
    url: { kind: 'string', default: 'mqtt://127.0.0.1', doc: 'the broker' },
    ...secret('password', 'password at the broker'),
    port: { kind: 'port', default: 1883, doc: 'port' },
    protocol: { kind: 'string', default: 'auto', choices: ['auto', '5'], doc: 'version' },
  },
  batch: {
    max_rows: { kind: 'count', default: 100, doc: 'rows' },
    rate: { kind: 'number', default: 0.5, doc: 'rate' },
    wait: { kind: 'duration', default: 5_000, doc: 'wait' },
    simulate: { kind: 'boolean', default: false, doc: 'simulate' },
    pipes: { kind: 'list', default: ['ONE'], doc: 'pipes' },
  },
} as const satisfies Record<string, Section>

const load = (sources: Partial<SettingSources> = {}) => loadSettings(sections, { env: {}, args: new Map(), ...sources })

async function failure(sources: Partial<SettingSources>): Promise<SnowhatError> {
  try {
    await load(sources)
  } catch (error) {
    return error as SnowhatError
  }
  throw new Error('it was taken')
}

async function file(name: string, text: string): Promise<string> {
  const path = join(temporaryDirectory(), name)
  await writeFile(path, text)
  return path
}

describe('where a setting comes from', () => {
  it('is the default when nobody says anything, and a command may have its own', async () => {
    expect((await load()).batch).toEqual({ max_rows: 100, rate: 0.5, wait: 5_000, simulate: false, pipes: ['ONE'] })
    expect((await load({ defaults: new Map([['batch.wait', 1_000]]) })).batch.wait).toBe(1_000)
  })

  it('is the command line over the environment over the file over the default', async () => {
    const all = {
      file: await file('s.yaml', 'batch: { max_rows: 2, rate: 2, wait: 2s }\nmqtt: { port: 2 }'),
      env: { SNOWHAT_BATCH_MAX_ROWS: '3', SNOWHAT_BATCH_RATE: '3' },
      args: new Map([['batch.max_rows', '4']]),
      defaults: new Map<string, unknown>([['batch.wait', 1]]),
    }
    expect((await load(all)).batch).toMatchObject({ max_rows: 4, rate: 3, wait: 2_000 })
    expect((await load(all)).mqtt.port).toBe(2)
  })

  it('is what another file brings in over the file, and the environment over both', async () => {
    const settings = await load({
      file: await file('s.yaml', 'batch: { max_rows: 2, rate: 2 }'),
      imported: new Map<string, unknown>([
        ['batch.max_rows', 7],
        ['batch.rate', 7],
        ['batch.pipes', ['P']],
      ]),
      env: { SNOWHAT_BATCH_RATE: '3' },
    })
    expect(settings.batch).toMatchObject({ max_rows: 7, rate: 3, pipes: ['P'] })
  })

  it.each([
    ['settings.yaml', 'mqtt:\n  url: mqtt://nas\nbatch:\n  pipes: [A, B]\n  simulate: true\n'],
    ['settings.json', '{"mqtt":{"url":"mqtt://nas"},"batch":{"pipes":["A","B"],"simulate":true}}'],
  ])('may be %s', async (name, text) => {
    const settings = await load({ file: await file(name, text) })
    expect(settings.mqtt.url).toBe('mqtt://nas')
    expect(settings.batch).toMatchObject({ pipes: ['A', 'B'], simulate: true })
  })

  it('may be a file that is empty', async () => {
    expect((await load({ file: await file('s.yaml', '# nothing yet\n') })).batch.max_rows).toBe(100)
  })

  it('is not a variable that is there and has no value', async () => {
    expect((await load({ env: { SNOWHAT_BATCH_RATE: undefined, HOME: '/root' } })).batch.rate).toBe(0.5)
  })

  it('does not linger from one reading to the next', async () => {
    await load({ env: { SNOWHAT_BATCH_MAX_ROWS: '3' }, args: new Map([['batch.pipes', 'X']]) })
    expect((await load()).batch).toMatchObject({ max_rows: 100, pipes: ['ONE'] })
  })
})

describe('what a setting may be', () => {
  it.each([
    ['rate', '2.5', 2.5],
    ['max_rows', '7', 7],
    ['wait', '250ms', 250],
    ['wait', '1.5m', 90_000],
    ['wait', '2', 2_000],
    ['wait', '1h', 3_600_000],
    ['simulate', 'yes', true],
    ['simulate', 'TRUE', true],
    ['simulate', 'on', true],
    ['simulate', '1', true],
    ['simulate', 'no', false],
    ['simulate', 'off', false],
    ['simulate', '0', false],
    ['pipes', 'A, B ,C', ['A', 'B', 'C']],
    ['pipes', '', []],
  ])('%s %j is read as %j, from the environment and from the command line', async (key, text, value) => {
    const path = `batch.${key}`
    const fromEnv = await load({ env: { [`SNOWHAT_BATCH_${key.toUpperCase()}`]: text } })
    const fromArgs = await load({ args: new Map([[path, text]]) })
    expect((fromEnv.batch as Record<string, unknown>)[key]).toEqual(value)
    expect((fromArgs.batch as Record<string, unknown>)[key]).toEqual(value)
  })

  it.each([
    ['batch.max_rows', '1.5', 'whole number'],
    ['batch.max_rows', '-1', 'whole number'],
    ['batch.max_rows', 'many', 'whole number'],
    ['batch.max_rows', '', 'whole number'],
    ['batch.rate', '-1', '0 or more'],
    ['batch.rate', 'Infinity', '0 or more'],
    ['batch.wait', '5 parsecs', 'a time such as'],
    ['batch.simulate', 'perhaps', 'true or false'],
    ['batch.pipes', 5, 'a list'],
    ['mqtt.port', '65536', 'a port'],
    ['mqtt.port', '80a', 'a port'],
    ['mqtt.protocol', '4', 'must be one of'],
    ['mqtt.url', true, 'must be text'],
  ])('%s may not be %j', async (path, value, words) => {
    const error = await failure({ args: new Map<string, unknown>([[path, value]]) })
    expect(error).toMatchObject({ code: 'E_CONFIG_INVALID' })
    expect(error.message).toContain(path)
    expect(error.message).toContain(words)
    expect(error.message).not.toContain('\n')
  })

  it('of a wrong kind is refused in a file as well', async () => {
    const error = await failure({ file: await file('s.yaml', 'batch: { max_rows: [1] }') })
    expect(error.message).toMatch(/batch\.max_rows.*whole number/)
  })

  it('that is secret is not shown when it is of a wrong kind', async () => {
    const error = await failure({ file: await file('s.yaml', 'mqtt: { password: [hunter2] }') })
    expect(error.message).toContain('mqtt.password')
    expect(`${error.message} ${error.hint}`).not.toContain('hunter2')
  })

  it('that is text is no bare number in a file, because 0123 would lose its zero', async () => {
    const error = await failure({ file: await file('s.yaml', 'mqtt: { password: 0123 }') })
    expect(error.message).toBe('mqtt.password: must be text')
    expect((await load({ file: await file('s.yaml', 'mqtt: { password: "0123" }') })).mqtt.password).toBe('0123')
    expect((await load({ env: { SNOWHAT_MQTT_PASSWORD: '0123' } })).mqtt.password).toBe('0123')
  })
})

describe('a name nobody knows', () => {
  it.each([
    ['section', 'mqqt: { url: x }', '"mqqt"', 'did you mean mqtt?'],
    ['setting', 'batch: { max_row: 1 }', '"batch.max_row"', 'did you mean max_rows?'],
  ])('as a %s of a file is an error that names the nearest', async (_what, text, name, hint) => {
    const path = await file('s.yaml', text)
    const error = await failure({ file: path })
    expect(error).toMatchObject({ code: 'E_CONFIG_INVALID', hint })
    expect(error.message).toContain(name)
    expect(error.message).toContain(path)
  })

  it('as a variable is an error that names the nearest', async () => {
    expect(await failure({ env: { SNOWHAT_MQTT_ULR: 'x' } })).toMatchObject({
      message: 'unknown environment variable SNOWHAT_MQTT_ULR',
      hint: 'did you mean SNOWHAT_MQTT_URL?',
    })
  })

  it('that is near to none gets no guess', async () => {
    expect((await failure({ file: await file('s.yaml', 'kubernetes: {}') })).hint).toBeUndefined()
  })

  it.each(['__proto__: { url: x }', 'constructor: { url: x }', 'mqtt: { toString: x }', 'mqtt: { constructor: x }'])(
    'is not one that every object has: %s',
    async (text) => {
      expect(await failure({ file: await file('s.yaml', text) })).toMatchObject({ code: 'E_CONFIG_INVALID' })
    },
  )
})

describe('a file that cannot be used', () => {
  it('is named in one sentence', async () => {
    const error = await failure({ file: '/nowhere/snowhat.yaml' })
    expect(error.message).toMatch(/^cannot read the configuration file \/nowhere\/snowhat\.yaml: ENOENT/)
  })

  it.each(['- a list', 'just text', '{ broken', 'mqtt: 5', 'mqtt:'])('is refused when it holds %j', async (text) => {
    expect(await failure({ file: await file('s.yaml', text) })).toMatchObject({ code: 'E_CONFIG_INVALID' })
  })
})

describe('a secret in a file of its own', () => {
  it.each([
    ['hunter2', 'hunter2'],
    ['hunter2\n', 'hunter2'],
    ['hunter2\r\n', 'hunter2'],
    ['two\nlines\n', 'two\nlines'],
    [' spaces stay \n\n', ' spaces stay \n'],
  ])('%j is read as %j', async (text, value) => {
    expect((await load({ env: { SNOWHAT_MQTT_PASSWORD_FILE: await file('pw', text) } })).mqtt.password).toBe(value)
  })

  it('and given as well is an error: nobody knows which one counts', async () => {
    const env = { SNOWHAT_MQTT_PASSWORD_FILE: await file('pw', 'a'), SNOWHAT_MQTT_PASSWORD: 'b' }
    expect(await failure({ env })).toMatchObject({
      code: 'E_CONFIG_INVALID',
      message: 'mqtt.password and mqtt.password_file are both set',
    })
  })

  it('that cannot be read says which file, and which variable names it', async () => {
    const error = await failure({ env: { SNOWHAT_MQTT_PASSWORD_FILE: '/nowhere/pw' } })
    expect(error.message).toMatch(/^cannot read \/nowhere\/pw \(mqtt\.password_file\): ENOENT/)
    expect(error.hint).toContain('SNOWHAT_MQTT_PASSWORD_FILE')
  })
})
