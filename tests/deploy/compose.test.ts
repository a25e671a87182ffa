import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { parse } from 'yaml'

interface Service {
  readonly image: string
  readonly volumes?: readonly string[]
  readonly ports?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly [key: string]: unknown
}

const file = (name: string) => readFileSync(fileURLToPath(new URL(`../../${name}`, import.meta.url)), 'utf8')
const { services, volumes } = parse(file('compose.yaml'), { merge: true }) as {
  services: Record<string, Service>
  volumes: Record<string, unknown>
}
/** Those of this project; dashboards beside them have needs of their own. */
const OURS = Object.entries(services).filter(([, { image }]) => /^(snowhat|eclipse-mosquitto)/.test(image))
const RUN_ONCE = ['mosquitto-users', 'demo-logins', 'certificates']

it('every service is confined, bounded in memory and log, and comes back by itself', () => {
  expect(OURS.length).toBeGreaterThanOrEqual(9)
  for (const [name, service] of OURS) {
    expect(service, name).toMatchObject({
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      logging: { options: { 'max-size': expect.any(String) } },
      mem_limit: expect.any(String),
    })
    if (RUN_ONCE.includes(name)) expect(service, name).toMatchObject({ network_mode: 'none' })
    else expect(service, name).toMatchObject({ restart: 'unless-stopped', stop_grace_period: '30s' })
    expect(service.privileged, name).toBeUndefined()
  }
})

it('what runs all the time sees of the secrets only what is its own', () => {
  const secrets = OURS.filter(([name]) => !RUN_ONCE.includes(name)).flatMap(([name, service]) =>
    (service.volumes ?? []).filter((volume) => /secrets|login|users/.test(volume)).map((volume) => `${name} ${volume}`),
  )
  expect(secrets).toEqual([
    'mosquitto mosquitto-users:/mosquitto/users:ro',
    'bridge ./secrets/bridge:/run/secrets:ro',
    'bridge ./secrets/tls/clients/bridge:/run/tls:ro',
    'phone ./secrets/phone:/run/secrets:ro',
    'phone ./secrets/tls/clients/phone:/run/tls:ro',
    ...[1, 2, 3].map((pi) => `pi-demo-${pi} pi-demo-${pi}-login:/run/secrets:ro`),
  ])
})

it('what must outlive a container is on a named volume', () => {
  const kept = OURS.flatMap(([, service]) => service.volumes ?? []).filter((volume) => !volume.startsWith('./'))
  for (const volume of kept) expect(Object.keys(volumes), volume).toContain(volume.split(':')[0])
  for (const target of [
    'bridge-spool:/spool',
    'phone-journal:/phone',
    'mosquitto-data:/mosquitto/data',
    'emulator-data:/data',
  ])
    expect(kept).toContain(target)
})

it('without a profile there is no demo, and what asks nobody for a password is for this machine alone', () => {
  expect(
    Object.entries(services)
      .filter(([, { profiles }]) => profiles === undefined)
      .map(([name]) => name),
  ).toEqual(['mosquitto-users', 'mosquitto', 'bridge'])
  expect(services.emulator?.ports).toEqual([expect.stringMatching(/^127\.0\.0\.1:/)])
})

it('the receiver of phones comes with its profile alone, wants a token, and is asked how it is', () => {
  expect(services.phone).toMatchObject({
    profiles: ['phones'],
    environment: { SNOWHAT_PHONE_TOKEN_FILE: expect.stringContaining('/run/secrets/token') },
    healthcheck: { test: ['CMD', 'node', '/snowhat/dist/cli/healthcheck.js', 'phone'] },
  })
})

it('the image is built from every part the command loads', () => {
  const dockerfile = file('bridge/Dockerfile')
  const { include } = JSON.parse(file('tsconfig.build.json')) as { include: string[] }
  for (const part of include) expect(dockerfile).toContain(`\nCOPY ${part} ${part}\n`)
})
