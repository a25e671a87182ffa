import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Agent, request } from 'undici'
import { describe, expect, it, onTestFinished } from 'vitest'
import { openReceiver } from '../../../phone/receiver/server.ts'
import { systemClock } from '../../../src/clock.ts'
import { ANDROID } from '../../phone/support.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { makeCertificates } from '../../support/mosquitto-process.ts'
import { freePort } from '../../support/ports.ts'
import { run, snowhat } from '../../support/program.ts'

/** As containers are asked how they are. */
const HEALTHCHECK = fileURLToPath(new URL('../../../dist/cli/healthcheck.js', import.meta.url))

/** A CA of one's own with a server's certificate (`broker/`: of any server) and one that belongs to somebody else. */
function certificates() {
  const directory = temporaryDirectory()
  makeCertificates(directory, ['other'])
  const file = (name: string) => join(directory, name)
  return {
    ca: file('ca/ca.crt'),
    cert: file('broker/server.crt'),
    key: file('broker/server.key'),
    otherKey: file('clients/other/client.key'),
  }
}

const start = (cert: string, key: string, port = 0) => [
  ...['phone', '--dir', temporaryDirectory(), '--port', String(port), '--mqtt-url', 'mqtt://127.0.0.1:1'],
  ...['--tls-cert', cert, '--tls-key', key],
]

describe('the receiver over HTTPS', () => {
  it("takes messages with a certificate of a CA of one's own, and speaks to nobody in the clear", async () => {
    const { ca, cert, key } = certificates()
    const port = await freePort()
    const program = snowhat(start(cert, key, port))
    await program.line(/"listens":"https:/)
    const post = (origin: string, trusted: Agent) =>
      request(`${origin}/sensor-data`, { method: 'POST', body: ANDROID, dispatcher: trusted })
    const agent = (options: Agent.Options) => {
      const made = new Agent(options)
      onTestFinished(() => made.destroy())
      return made
    }
    const knows = agent({ connect: { ca: readFileSync(ca) } })
    const stranger = agent({})
    expect((await post(`https://localhost:${port}`, knows)).statusCode).toBe(200)
    await expect(post(`https://localhost:${port}`, stranger)).rejects.toThrow(/certificate/)
    await expect(post(`http://localhost:${port}`, stranger)).rejects.toThrow()
    const env = { SNOWHAT_PHONE_PORT: String(port), SNOWHAT_PHONE_TLS_CERT: cert }
    const check = spawnSync(process.execPath, [HEALTHCHECK, 'phone'], { env, encoding: 'utf8' })
    expect([check.status, check.stdout]).toEqual([0, expect.stringContaining('1 message taken')])
    program.kill('SIGTERM')
    expect(await program.ended()).toMatchObject({ code: 0 })
  })

  it('does not start with files that do not fit, and says in a sentence which', async () => {
    const { cert, key, otherKey } = certificates()
    const wrong = [
      [['/nowhere.crt', key], 'cannot read the certificate /nowhere.crt: '],
      [[cert, '/nowhere.key'], "cannot read the certificate's key /nowhere.key: "],
      [[key, key], `the certificate file ${key} holds no certificate: `],
      [[cert, otherKey], `${otherKey} is no key for ${cert}: `],
      [[cert, cert], `${cert} is no key for ${cert}: `],
      [[cert, ''], 'phone.tls_cert and phone.tls_key go together'],
    ] as const
    for (const [[tls_cert, tls_key], message] of wrong)
      await expect(
        openReceiver({ host: '127.0.0.1', port: 0, tls_cert, tls_key }, () => undefined, systemClock()),
      ).rejects.toMatchObject({ code: 'E_CONFIG_INVALID', message: expect.stringContaining(message) })
    const { code, stderr } = await run(start(cert, otherKey))
    expect([code, stderr]).toEqual([78, expect.stringContaining(`snowhat: ${otherKey} is no key for ${cert}: `)])
  })
})
