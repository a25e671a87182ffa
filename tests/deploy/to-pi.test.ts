import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { temporaryDirectory } from '../support/directory.ts'

const SCRIPT = fileURLToPath(new URL('../../deploy/to-pi.sh', import.meta.url))

/*
 * `ssh` and `scp` are programs of the test: a host is a directory, whose commands run on this machine with that directory's
 * `bin` before all others. Everything that is called is written down with its arguments.
 */

const SSH = `#!/bin/sh
while [ "$1" != "\${1#-}" ]; do shift 2; done
host=\${1#*@}; shift
echo "ssh $host $*" >>"$WORLD/calls"
[ -d "$WORLD/hosts/$host" ] || { echo "ssh: Could not resolve hostname $host" >&2; exit 255; }
export PI="$WORLD/hosts/$host" TMPDIR="$WORLD/hosts/$host/tmp" PATH="$WORLD/hosts/$host/bin:$PATH"
exec sh -c "$*"
`
const SCP = `#!/bin/sh
shift
while [ "$1" != "\${1#-}" ]; do shift 2; done
for last; do :; done
while [ $# -gt 1 ]; do cp "$1" "\${last#*:}"; shift; done
`
/** What would be root: keeps the password it was given, and ends as the test wants. */
const SUDO = `#!/bin/sh
shift
[ "$1" != true ] || exit 0
echo "sudo $*" >>"$PI/root"
cat "$(dirname "$2")/password" >"$PI/password" 2>/dev/null
stat -c %a "$(dirname "$2")/password" >"$PI/mode" 2>/dev/null
echo "installing"
[ ! -e "$PI/broken" ]
`

interface World {
  readonly directory: string
  host(name: string, hostName: string, file?: string): string
  run(...args: readonly string[]): Promise<{ code: number | null; output: string }>
  calls(): string
  readonly secrets: string
}

function world(): World {
  const directory = temporaryDirectory()
  const secrets = join(directory, 'secrets')
  const program = (path: string, text: string) => {
    writeFileSync(path, text)
    chmodSync(path, 0o755)
  }
  mkdirSync(join(directory, 'bin'))
  program(join(directory, 'bin/ssh'), SSH)
  program(join(directory, 'bin/scp'), SCP)
  writeFileSync(join(directory, 'snowhat-1.tgz'), 'a package')
  const env = { PATH: `${directory}/bin:${process.env.PATH}`, WORLD: directory, HOME: directory }
  return {
    directory,
    secrets,
    host(name, hostName, file) {
      const root = join(directory, 'hosts', name)
      for (const part of ['bin', 'tmp']) mkdirSync(join(root, part), { recursive: true })
      program(join(root, 'bin/sudo'), SUDO)
      program(join(root, 'bin/uname'), `#!/bin/sh\necho ${hostName}\n`)
      program(join(root, 'bin/id'), '#!/bin/sh\necho 1000\n')
      if (file !== undefined) writeFileSync(join(root, file), '')
      return root
    },
    run: (...args) =>
      new Promise((resolve) => {
        const child = spawn(SCRIPT, ['--package', `${directory}/snowhat-1.tgz`, '--secrets', secrets, ...args], { env })
        let output = ''
        for (const stream of [child.stdout, child.stderr])
          stream.setEncoding('utf8').on('data', (text) => (output += text))
        child.on('close', (code) => resolve({ code, output }))
      }),
    calls: () => readFileSync(join(directory, 'calls'), 'utf8'),
  }
}

const BROKER = ['--broker', 'mqtt://nas:1883'] as const

it('each Pi is installed with a user and a password of its own, which no argument ever holds', async () => {
  const { host, run, calls, secrets } = world()
  const roots = { 'pi-attic': host('a', 'Pi.Attic'), 'pi-cellar': host('b', 'whatever') }
  mkdirSync(secrets)
  writeFileSync(join(secrets, 'pi-cellar'), 'chosen by a person\n')
  const { code, output } = await run(...BROKER, 'pi@a', 'pi@b=pi-cellar')
  expect([code, output]).toEqual([0, expect.stringContaining('pi@a | installing')])
  for (const [name, root] of Object.entries(roots)) {
    const password = readFileSync(join(secrets, name), 'utf8')
    const asRoot = readFileSync(join(root, 'root'), 'utf8')
    expect(asRoot).toContain(`--broker mqtt://nas:1883 --hostname ${name} --username ${name} --password-file `)
    expect(readFileSync(join(root, 'password'), 'utf8')).toBe(password)
    expect(readFileSync(join(root, 'mode'), 'utf8').trim()).toBe('600')
    expect(calls() + asRoot + output).not.toContain(password.trim())
    expect(readdirSync(join(root, 'tmp'))).toEqual([])
  }
  expect(readFileSync(join(secrets, 'pi-attic'), 'utf8')).toMatch(/^[\w-]{32}\n$/)
  expect(statSync(join(secrets, 'pi-attic')).mode & 0o777).toBe(0o600)
  expect(output).toContain('docker compose run --rm mosquitto-users')
})

it('with certificates each Pi gets its own, and no password is made', async () => {
  const { directory, host, run, secrets } = world()
  const root = host('a', 'pi-attic')
  const own = join(directory, 'clients/pi-attic')
  mkdirSync(own, { recursive: true })
  for (const file of ['ca.crt', 'client.crt', 'client.key']) writeFileSync(join(own, file), file)
  const { code, output } = await run(...BROKER, '--certificates', join(directory, 'clients'), 'pi@a')
  expect([code, output]).toEqual([0, expect.stringContaining('pi@a | installing')])
  const asRoot = readFileSync(join(root, 'root'), 'utf8')
  expect(asRoot).toMatch(
    /--hostname pi-attic --ca-file \S+\/ca\.crt --cert-file \S+\/client\.crt --key-file \S+\/client\.key/,
  )
  expect(asRoot).not.toContain('--password-file')
  expect([existsSync(secrets), readdirSync(join(root, 'tmp'))]).toEqual([false, []])
})

it('a Pi without a certificate is named before anything is installed', async () => {
  const { directory, host, run } = world()
  const root = host('a', 'pi-attic')
  const { code, output } = await run(...BROKER, '--certificates', join(directory, 'clients'), 'pi@a')
  expect([code, output]).toEqual([
    1,
    expect.stringMatching(/pi-attic\/ca\.crt cannot be read: docker compose .* pi-attic/),
  ])
  expect(existsSync(join(root, 'root'))).toBe(false)
})

it('one that cannot be installed is named, ends it with 1, and the others are installed', async () => {
  const { host, run } = world()
  const roots = [host('a', 'pi-a'), host('b', 'pi-b', 'broken')]
  const { code, output } = await run(...BROKER, 'pi@a', 'pi@b')
  expect(code).toBe(1)
  expect(output).toMatch(/^ok +pi@a +pi-a new\nFAILED +pi@b +pi-b new$/m)
  expect(roots.map((root) => [existsSync(join(root, 'root')), readdirSync(join(root, 'tmp'))])).toEqual([
    [true, []],
    [true, []],
  ])
})

it('one that does not answer is found before anything is installed anywhere', async () => {
  const { host, run, secrets } = world()
  const root = host('a', 'pi-a')
  const { code, output } = await run(...BROKER, 'pi@a', 'pi@gone')
  expect([code, output]).toEqual([1, expect.stringContaining('pi@gone | ssh: Could not resolve hostname gone')])
  expect([existsSync(join(root, 'root')), existsSync(secrets)]).toEqual([false, false])
})

it.each(['bridge', 'homeassistant', 'replay', 'admin'])(
  'a Pi called %s is not given the password of that user',
  async (name) => {
    const { host, run, secrets } = world()
    const root = host('a', name)
    mkdirSync(secrets)
    writeFileSync(join(secrets, name), 'the password of another\n')
    const { code, output } = await run(...BROKER, 'pi@a')
    expect([code, output]).toEqual([1, expect.stringContaining(`a Pi must not be called ${name}`)])
    expect(existsSync(join(root, 'root'))).toBe(false)
  },
)

it('two Pis of one name are refused: each would throw the other off the broker', async () => {
  const { host, run } = world()
  host('a', 'pi-a')
  host('b', 'pi-a')
  const { code, output } = await run(...BROKER, 'pi@a', 'pi@b')
  expect([code, output]).toEqual([1, expect.stringContaining('two Pis are called pi-a')])
})

it('a dry run asks nobody and makes nothing', async () => {
  const { directory, run, secrets } = world()
  const { code, output } = await run(...BROKER, '--dry-run', 'pi@a=pi-attic')
  expect([code, output]).toEqual([0, expect.stringContaining('MQTT user pi-attic')])
  expect([existsSync(secrets), existsSync(join(directory, 'calls'))]).toEqual([false, false])
})

it.each([
  [['pi@a'], 'name the broker'],
  [[...BROKER], 'name the Pis'],
  [[...BROKER, '-oProxyCommand=x'], 'there is no -oProxyCommand=x'],
  [[...BROKER, 'pi@-oProxyCommand'], 'is no host'],
  [[...BROKER, 'pi@a;reboot'], 'is no host'],
])('%j is refused in a sentence', async (args, sentence) => {
  const { host, run } = world()
  host('a', 'pi-a')
  const { code, output } = await run(...args)
  expect(code).toBeGreaterThan(0)
  expect(output).toContain(sentence)
})
