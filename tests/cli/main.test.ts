import { EventEmitter } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { exitCodeOf, explain } from '../../cli/failure.ts'
import { main } from '../../cli/main.ts'
import { SnowhatError } from '../../src/errors.ts'
import { VERSION } from '../../src/version.ts'
import { temporaryDirectory } from '../support/directory.ts'

async function run(argv: readonly string[], env: Record<string, string> = {}) {
  const out: string[] = []
  const err: string[] = []
  const exits: number[] = []
  const host = Object.assign(new EventEmitter(), {
    env,
    pid: 1,
    exit: (code: number) => exits.push(code),
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  })
  const code = await main(argv, host)
  return {
    code,
    out: out.join(''),
    err: err.join(''),
    listeners: host.listenerCount('SIGINT') + host.listenerCount('SIGTERM'),
  }
}

describe('snowhat', () => {
  it.each([[['--help']], [['-h']], [['help']]])('%j lists the commands and is no failure', async (argv) => {
    const { code, out, err } = await run(argv)
    expect(code).toBe(0)
    expect(out).toContain('snowhat demo')
    expect(err).toBe('')
  })

  it('alone lists them as well, and is bad usage', async () => {
    expect(await run([])).toMatchObject({ code: 2, out: expect.stringContaining('snowhat demo') })
  })

  it.each(['--version', '-V'])('%s prints the version and nothing else', async (flag) => {
    expect(await run([flag])).toMatchObject({ code: 0, out: `${VERSION}\n`, err: '' })
  })

  it.each(['demo', 'publisher', 'bridge', 'emulator', 'query', 'ledger', 'deadletters'])(
    '%s --help explains it and is no failure',
    async (name) => {
      const { code, out } = await run([name, '--help'])
      expect(code).toBe(0)
      expect(out).toContain(`snowhat ${name}`)
    },
  )

  it('names the command nearest to one that is not known', async () => {
    const { code, out, err } = await run(['brigde'])
    expect([code, out]).toEqual([2, ''])
    expect(err).toContain('snowhat has no command brigde')
    expect(err).toContain('did you mean bridge?')
  })

  it('lists the commands when none is near', async () => {
    expect((await run(['kubernetes'])).err).toContain('demo, publisher, bridge')
  })

  it.each<[string, string[], Record<string, string>, number, string]>([
    ['an unknown option', ['bridge', '--mqtt-ulr', 'x'], {}, 2, 'did you mean --mqtt-url?'],
    ['a query without a statement', ['query'], {}, 2, 'wants a statement'],
    ['an unknown variable', ['bridge'], { SNOWHAT_MQTT_ULR: 'x' }, 78, 'SNOWHAT_MQTT_URL'],
    ['a wrong value', ['bridge', '--http-port', '99999'], {}, 78, 'http.port'],
    ['a configuration file that is not there', ['bridge', '--config', '/nowhere/s.yaml'], {}, 78, '/nowhere/s.yaml'],
    [
      'a configuration file of the first system that is not there',
      ['bridge', '-c', '/nowhere/c.json'],
      {},
      78,
      '/nowhere/c.json',
    ],
    ['a secret that cannot be read', ['bridge'], { SNOWHAT_MQTT_PASSWORD_FILE: '/nowhere/pw' }, 78, '/nowhere/pw'],
    ['a credential without an account', ['bridge'], { SNOWHAT_SNOWFLAKE_PAT: 'x' }, 78, 'SNOWHAT_SNOWFLAKE_ACCOUNT'],
    [
      'a private key that is none',
      ['bridge'],
      { SNOWHAT_SNOWFLAKE_ACCOUNT: 'A-B', SNOWHAT_SNOWFLAKE_PRIVATE_KEY: 'x' },
      78,
      'private key',
    ],
    [
      'an account nobody answers for',
      ['query', 'select 1', '--url', 'http://127.0.0.1:1'],
      {},
      1,
      'cannot reach http://127.0.0.1:1',
    ],
  ])('%s ends with its exit code, in words, without a stack', async (_what, argv, env, code, words) => {
    const result = await run(argv, env)
    expect(result.code).toBe(code)
    expect(result.err).toContain(words)
    expect(result.err).not.toMatch(/\n\s+at /)
    expect(result.out).toBe('')
    expect(result.listeners).toBe(0)
  })

  it('imports snowflake_config.json below the environment', async () => {
    const file = join(temporaryDirectory(), 'snowflake_config.json')
    await writeFile(
      file,
      JSON.stringify({ account: 'FROM-FILE', pat_token: 'x', url: 'ftp://wrong/path/x', channel_name: 'CH' }),
    )
    expect((await run(['bridge', '-c', file, '--log-level', 'silent'])).err).toContain('snowflake.url https://ftp')
    expect(
      (await run(['bridge', '-c', file, '--log-level', 'silent'], { SNOWHAT_SNOWFLAKE_URL: 'nonsense' })).err,
    ).toContain('snowflake.url nonsense')
  })
})

describe('a failure', () => {
  it.each([
    ['E_USAGE', 2],
    ['E_CONFIG_INVALID', 78],
    ['E_KEY_INVALID', 78],
    ['E_RIVAL', 78],
    ['E_PORT_TAKEN', 1],
    ['E_SQL', 1],
    ['E_MISSING_PACKAGE', 1],
  ] as const)('%s ends with %i', (code, exit) => {
    expect(exitCodeOf(new SnowhatError(code, 'x'))).toBe(exit)
  })

  it('that is a bug ends with 1 and shows where', () => {
    const bug = new TypeError('undefined is not a function')
    expect(exitCodeOf(bug)).toBe(1)
    expect(explain(bug)).toMatch(/please report it.*undefined is not a function[\s\S]*main\.test\.ts/)
    expect(explain('thrown text')).toContain('thrown text')
  })

  it('says what to do on a line of its own', () => {
    expect(explain(new SnowhatError('E_USAGE', 'wrong', { hint: 'do it right' }))).toBe(
      'snowhat: wrong (E_USAGE)\n         do it right',
    )
  })
})
