import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { GenericContainer, type StartedTestContainer } from 'testcontainers'
import { beforeAll, expect, it } from 'vitest'
import { VERSION } from '../../src/version.ts'
import { describeWithContainers } from '../support/container.ts'
import { temporaryDirectory } from '../support/directory.ts'

/*
 * `deploy/install.sh` on a clean Debian 12 with Node, as root and without systemd running. The tests are one story, in order: each
 * begins with what the one before has left.
 */

const REPOSITORY = fileURLToPath(new URL('../..', import.meta.url))
const NEWER = '99.0.0'

/** The package as `npm pack` makes it, and the same as a later release. */
function packages(directory: string): { now: string; newer: string } {
  const pack = (from: string) => {
    const name = execFileSync('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', directory], {
      cwd: from,
      encoding: 'utf8',
    })
    return join(directory, name.trim())
  }
  const now = pack(REPOSITORY)
  const from = join(directory, 'newer')
  mkdirSync(from)
  execFileSync('tar', ['-xzf', now, '-C', from, '--strip-components=1'])
  for (const file of ['package.json', 'dist/src/version.js']) {
    const path = join(from, file)
    writeFileSync(path, readFileSync(path, 'utf8').replace(VERSION, NEWER))
  }
  return { now, newer: pack(from) }
}

describeWithContainers('the installer', { timeout: 180_000 }, () => {
  let pi: StartedTestContainer
  beforeAll(async () => {
    const closings: (() => void | Promise<void>)[] = []
    const { now, newer } = packages(temporaryDirectory((close) => closings.push(close)))
    pi = await new GenericContainer('node:24-bookworm-slim')
      .withCommand(['sleep', 'infinity'])
      .withCopyFilesToContainer([
        { source: now, target: '/root/snowhat.tgz' },
        { source: newer, target: '/root/newer.tgz' },
        { source: join(REPOSITORY, 'deploy/install.sh'), target: '/root/install.sh' },
      ])
      .start()
    await pi.exec(['mkdir', '-p', '/etc/systemd/system'])
    return async () => {
      await pi.stop({ timeout: 0 })
      for (const close of closings) await close()
    }
  })

  async function sh(command: string): Promise<{ exitCode: number; output: string }> {
    const { exitCode, output } = await pi.exec(['sh', '-c', command])
    return { exitCode, output }
  }
  const text = async (command: string) => (await sh(command)).output.trim()
  const install = (words: string) => sh(`bash /root/install.sh publisher ${words} 2>&1`)
  const release = () => text('readlink /opt/snowhat/current')

  it('says what is wrong before it changes anything', async () => {
    expect(await install('--package /root/snowhat.tgz')).toMatchObject({ exitCode: 2 })
    expect((await install('--package /root/install.sh --broker mqtt://nas')).output).toContain('is no npm package')
    await sh(
      'printf "#!/bin/sh\\n[ \\$1 = --version ] && echo v18.20.4 && exit; exit 1\\n" >/usr/local/sbin/node; chmod +x /usr/local/sbin/node',
    )
    const old = await install('--package /root/snowhat.tgz --broker mqtt://nas')
    await sh('rm /usr/local/sbin/node')
    expect([old.exitCode, old.output]).toEqual([
      1,
      expect.stringContaining('Node.js is v18.20.4, and Snowhat needs 20.19'),
    ])
    const { output } = await sh(
      'runuser -u node -- bash /root/install.sh publisher --uninstall 2>&1; ls -d /opt/snowhat /etc/snowhat 2>&1',
    )
    expect(output).not.toMatch(/^\/(opt|etc)/m)
  })

  it('installs program, user, settings, secret and unit, and starts nothing where no systemd runs', async () => {
    await sh('echo "very secret" >/root/password')
    const { exitCode, output } = await install(
      '--package /root/snowhat.tgz --broker mqtts://nas:8883 --username pi-attic --hostname pi-attic --password-file /root/password --simulate',
    )
    expect([exitCode, output]).toEqual([0, expect.stringContaining('nothing was started')])
    expect(await text('snowhat --version')).toBe(VERSION)
    expect(
      await text('stat -c "%a %U" /etc/snowhat/publisher.password /etc/snowhat/publisher.yaml /var/lib/snowhat/outbox'),
    ).toBe('600 snowhat\n640 root\n750 snowhat')
    expect(await text('id -nG snowhat')).toMatch(/(?=.*\bi2c\b)(?=.*\binput\b)(?=.*\bvideo\b)/)
    expect(await text('readlink -f /etc/systemd/system/multi-user.target.wants/snowhat-publisher.service')).toBe(
      '/etc/systemd/system/snowhat-publisher.service',
    )
    expect(await text('cat /etc/snowhat/publisher.yaml')).not.toContain('very secret')
  })

  it('what it has installed and written starts, as the user of the unit', async () => {
    // The broker is not there, so the readings stay in the outbox.
    const publisher = 'snowhat publisher --config /etc/snowhat/publisher.yaml'
    expect(await sh(`runuser -u snowhat -- ${publisher} --reading-interval 0.05 --max-batches 1 2>&1`)).toMatchObject({
      exitCode: 0,
    })
    expect(
      await text('runuser -u snowhat -- snowhat publisher outbox status --config /etc/snowhat/publisher.yaml'),
    ).toMatch(/^readings +10,.*\nof +pi-attic$/m)
  })

  it('once more changes nothing, not what a person has written either', async () => {
    await sh('echo "# mine" >>/etc/snowhat/publisher.yaml')
    const look =
      'find /opt/snowhat/releases /etc/snowhat /var/lib/snowhat -printf "%p %s %T@ %u\\n" | grep -v "releases " | sort | sha256sum'
    const before = await text(look)
    const { exitCode, output } = await install('--package /root/snowhat.tgz --broker mqtt://elsewhere')
    expect([exitCode, output]).toEqual([0, expect.stringContaining('publisher.yaml is there and stays as it is')])
    expect(await text(look)).toBe(before)
  })

  it('an update changes the program and keeps settings, secret, outbox and name; the old program is gone', async () => {
    const before = await release()
    const look = 'cat /etc/snowhat/* /var/lib/snowhat/outbox/* | sha256sum'
    const kept = await text(look)
    expect(await install('--package /root/newer.tgz')).toMatchObject({ exitCode: 0 })
    expect([await text('snowhat --version'), await text(look)]).toEqual([NEWER, kept])
    expect(await text('ls /opt/snowhat/releases')).toBe((await release()).split('/').at(-1))
    expect(await release()).not.toBe(before)
  })

  it('a package that does not run leaves the installed one as it is', async () => {
    const before = await release()
    await sh(
      'mkdir -p /tmp/broken/package && echo \'{"name":"snowhat","version":"1.0.0","dependencies":{"nothing":"file:/nowhere"}}\' >/tmp/broken/package/package.json && tar -czf /root/broken.tgz -C /tmp/broken package',
    )
    const { exitCode, output } = await install('--package /root/broken.tgz')
    expect([exitCode, output]).toEqual([1, expect.stringContaining('does not run; nothing has changed')])
    expect([await release(), await text('snowhat --version')]).toEqual([before, NEWER])
  })

  it('uninstalled, its settings and data are where it says; purged, nothing is left', async () => {
    const { exitCode, output } = await install('--uninstall')
    expect([exitCode, output]).toEqual([
      0,
      expect.stringContaining('kept in /etc/snowhat, its data in /var/lib/snowhat/outbox'),
    ])
    expect(await text('ls -d /opt/snowhat /usr/local/bin/snowhat /etc/systemd/system/snowhat* 2>/dev/null')).toBe('')
    expect(await text('ls /etc/snowhat; ls /var/lib/snowhat/outbox | grep -c log')).toBe(
      'publisher.password\npublisher.yaml\n1',
    )
    expect(await install('--purge')).toMatchObject({ exitCode: 0 })
    expect(await text('ls -d /etc/snowhat /var/lib/snowhat 2>/dev/null; getent passwd snowhat')).toBe('')
  })
})
