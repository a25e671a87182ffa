import { execFile, spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { type CleanUp, temporaryDirectory } from '../support/directory.ts'
import { freePorts } from '../support/ports.ts'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const run = promisify(execFile)

/** Compose's second version is a part of `docker`, its first a program of its own. */
const COMPOSE =
  spawnSync('docker', ['compose', 'version']).status === 0
    ? (['docker', ['compose']] as const)
    : (['docker-compose', []] as const)

export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs docker and gives what it said, also where it failed. */
export async function docker(...args: readonly string[]): Promise<Said> {
  try {
    return { code: 0, ...(await run('docker', args, { maxBuffer: 2 ** 26 })) }
  } catch (error) {
    const { code, stdout, stderr } = error as Said
    return { code, stdout, stderr }
  }
}

/** Builds a target of bridge/Dockerfile, with what Docker still has of it. */
export async function buildImage(target: string, tag: string): Promise<void> {
  await run('docker', ['build', '-f', 'bridge/Dockerfile', '--target', target, '-t', tag, '.'], {
    cwd: ROOT,
    maxBuffer: 2 ** 26,
  })
}

/** compose.yaml as it is, in a directory and on ports of its own; only names of images and the healthchecks' pace are others. */
export interface ComposeProject {
  readonly directory: string
  readonly ports: { readonly mqtt: number; readonly mqtts: number; readonly page: number; readonly emulator: number }
  /** Throws with all that was said when it fails. */
  compose(...args: readonly string[]): Promise<string>
  /** `docker inspect` of a service's container. */
  state(
    service: string,
  ): Promise<{ readonly Status: string; readonly ExitCode: number; readonly Health?: { readonly Status: string } }>
  container(service: string): Promise<string>
}

export const IMAGES = {
  production: 'snowhat-tested',
  demo: 'snowhat-demo-tested',
  certificates: 'snowhat-certificates-tested',
}

export async function openProject(cleanUp: CleanUp): Promise<ComposeProject> {
  // What its containers have made there may belong to others: only root removes that, as CI is.
  const directory = temporaryDirectory(cleanUp)
  cpSync(join(ROOT, 'deploy'), join(directory, 'deploy'), { recursive: true })
  copyFileSync(join(ROOT, 'compose.yaml'), join(directory, 'compose.yaml'))
  const ports = await freePorts('mqtt', 'mqtts', 'page', 'emulator')
  writeFileSync(
    join(directory, '.env'),
    Object.entries(ports)
      .map(([name, port]) => `PORT_${name.toUpperCase()}=${port}\n`)
      .join(''),
  )
  const pi = { image: IMAGES.production }
  const often = { healthcheck: { interval: '2s' } }
  writeFileSync(
    join(directory, 'compose.override.yaml'),
    JSON.stringify({
      services: {
        mosquitto: often,
        bridge: { image: IMAGES.production, ...often },
        emulator: { image: IMAGES.demo, ...often },
        certificates: { image: IMAGES.certificates },
        'pi-demo-1': pi,
        'pi-demo-2': pi,
        'pi-demo-3': pi,
      },
    }),
  )
  const name = `snowhat-test-${process.pid}`
  const [program, first] = COMPOSE
  const compose = async (...args: readonly string[]) => {
    const { stdout, stderr } = await run(program, [...first, '-p', name, ...args], {
      cwd: directory,
      maxBuffer: 2 ** 26,
    })
    return stdout + stderr
  }
  cleanUp(async () => {
    await compose('--profile', 'demo', '--profile', 'tls', 'down', '-v', '-t', '1')
  })
  const container = async (service: string) => {
    const ids = (await compose('--profile', 'demo', 'ps', '-a', '-q', service)).trim()
    if (ids === '') throw new Error(`${service} has no container`)
    return ids
  }
  return {
    directory,
    ports,
    compose,
    container,
    state: async (service) => {
      const { stdout } = await docker('inspect', '-f', '{{json .State}}', await container(service))
      return JSON.parse(stdout)
    },
  }
}
