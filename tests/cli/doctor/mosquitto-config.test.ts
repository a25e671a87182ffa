import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { findMosquitto } from '../../../cli/doctor/broker/mosquitto-config.ts'
import { temporaryDirectory } from '../../support/directory.ts'

function processes(commands: readonly (readonly string[])[], cwd: string): string {
  const proc = temporaryDirectory()
  for (const [i, words] of commands.entries()) {
    mkdirSync(join(proc, String(100 + i)))
    writeFileSync(join(proc, String(100 + i), 'cmdline'), `${words.join('\0')}\0`)
    symlinkSync(cwd, join(proc, String(100 + i), 'cwd'))
  }
  return proc
}

it('the broker on a port is the Mosquitto whose configuration says so, included files last', async () => {
  const directory = temporaryDirectory()
  mkdirSync(join(directory, 'conf.d'))
  writeFileSync(join(directory, 'other.conf'), 'listener 1884\npersistence true\n')
  writeFileSync(
    join(directory, 'mosquitto.conf'),
    '# persistence true\npersistence false\nlistener 1883 127.0.0.1\nmax_queued_messages 7\ninclude_dir conf.d\n',
  )
  writeFileSync(join(directory, 'conf.d', 'more.conf'), 'listener 8883\nmax_queued_messages 9\n')
  const proc = processes(
    [
      ['/usr/bin/vi', '-c', 'mosquitto.conf'],
      ['/usr/sbin/mosquitto', '-c', join(directory, 'other.conf')],
      ['mosquitto', '-c', 'mosquitto.conf'],
    ],
    directory,
  )
  const found = await findMosquitto(8883, proc)
  expect(found?.file).toBe(join(directory, 'mosquitto.conf'))
  expect([found?.options.get('persistence'), found?.options.get('max_queued_messages')]).toEqual(['false', '9'])
  expect((await findMosquitto(1884, proc))?.options.get('persistence')).toBe('true')
  expect(await findMosquitto(1885, proc)).toBeUndefined()
})
