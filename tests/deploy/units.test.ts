import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { exitCodeOf } from '../../cli/failure.ts'
import { SnowhatError } from '../../src/errors.ts'
import { temporaryDirectory } from '../support/directory.ts'

const DEPLOY = fileURLToPath(new URL('../../deploy', import.meta.url))
const UNITS = ['snowhat-publisher.service', 'snowhat-bridge.service', 'snowhat-phone.service'] as const
const unit = (name: string) => readFileSync(join(DEPLOY, 'systemd', name), 'utf8')

/** Skipped where the program is not there, unless the environment says that it has to be. */
function withProgram(program: string, required: string) {
  const isThere = spawnSync(program, ['--version']).status === 0
  return isThere || process.env[required] === '1' ? it : it.skip
}

function run(program: string, args: readonly string[]) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { encoding: 'utf8' })
  if (error !== undefined) throw error
  return { status, output: `${stdout}${stderr}` }
}

const withSystemd = withProgram('systemd-analyze', 'SNOWHAT_REQUIRE_SYSTEMD_ANALYZE')

withSystemd.each(UNITS)('systemd has nothing to say against %s', (name) => {
  const directory = temporaryDirectory()
  // The program is not installed on this machine, and systemd looks whether it is.
  const installed = unit(name).replaceAll('/opt/snowhat/current/bin/snowhat', process.execPath)
  writeFileSync(join(directory, name), installed)
  expect(run('systemd-analyze', ['verify', '--man=no', join(directory, name)])).toEqual({ status: 0, output: '' })
})

// In tenths; a service without any hardening is at 96.
withSystemd.each([
  ['snowhat-publisher.service', 20],
  ['snowhat-bridge.service', 17],
  ['snowhat-phone.service', 17],
] as const)('%s is exposed by at most %i tenths', (name, tenths) => {
  const { status, output } = run('systemd-analyze', [
    'security',
    '--offline=yes',
    '--no-pager',
    `--threshold=${tenths}`,
    join(DEPLOY, 'systemd', name),
  ])
  expect(status, output.split('\n').at(-2)).toBe(0)
})

it.each(UNITS)('%s is not started again after what only a person can mend', (name) => {
  const codes = /^RestartPreventExitStatus=(.*)$/m.exec(unit(name))?.[1]?.split(' ').map(Number)
  const ofPersons = (['E_USAGE', 'E_CONFIG_INVALID', 'E_KEY_INVALID', 'E_RIVAL'] as const).map((code) =>
    exitCodeOf(new SnowhatError(code, '')),
  )
  expect(new Set(codes)).toEqual(new Set(ofPersons))
  expect(codes).not.toContain(exitCodeOf(new SnowhatError('E_NO_SENSE_HAT', '')))
})

it('the installer and the units mean the same files', () => {
  const installer = readFileSync(join(DEPLOY, 'install.sh'), 'utf8')
  for (const name of UNITS) {
    expect(unit(name)).toContain('ExecStart=/opt/snowhat/current/bin/snowhat ')
    const state = /^StateDirectory=snowhat\/(\w+)$/m.exec(unit(name))?.[1]
    const user = /^User=(.*)$/m.exec(unit(name))?.[1]
    expect(installer).toContain(`user=${user} data=$STATE/${state}`)
  }
})

const withShellcheck = withProgram('shellcheck', 'SNOWHAT_REQUIRE_SHELLCHECK')
const scripts = readdirSync(DEPLOY, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.sh'))
const withHelp = ['install.sh', 'to-pi.sh']

withShellcheck.each(scripts)('shellcheck has nothing to say against %s', (name) => {
  expect(run('shellcheck', [join(DEPLOY, name)])).toEqual({ status: 0, output: '' })
})

it.each(withHelp)('%s says what it is for, and is no failure', (name) => {
  const { status, output } = run(join(DEPLOY, name), ['--help'])
  expect([status, output.includes(name)]).toEqual([0, true])
  expect(run(join(DEPLOY, name), ['--nonsense'])).toMatchObject({
    status: 2,
    output: expect.stringContaining('--nonsense'),
  })
})

it.each([
  ['publisher', '--private-key-file', 'snowhat_key.p8'],
  ['publisher', '--account', 'MYORG-MYACCOUNT'],
  ['bridge', '--hostname', 'pi-attic'],
  ['bridge', '--token-file', 'token'],
  ['phone', '--private-key-file', 'snowhat_key.p8'],
  ['publisher', '--broker', 'mqtt://nas"\nurl: "mqtt://elsewhere'],
] as const)('install.sh %s does not take %s %j', (part, option, value) => {
  expect(run(join(DEPLOY, 'install.sh'), [part, option, value])).toMatchObject({
    status: 2,
    output: expect.stringContaining(option),
  })
})
