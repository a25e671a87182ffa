import { execFileSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { TestProject } from 'vitest/node'
import { CONTAINERS_REQUIRED, findContainerEngine } from './container.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Why there is no container engine; empty when there is one. */
    readonly noContainers: string
  }
}

/** Before the slow tests of a project: what they run is built, and whether containers can be had is known and said. */
export default async function setup(project: TestProject): Promise<void> {
  if (process.env.SNOWHAT_TEST_BUILT !== '1')
    execFileSync('npm', ['run', '--silent', 'build'], {
      cwd: fileURLToPath(new URL('../..', import.meta.url)),
      stdio: 'inherit',
    })
  const noContainers = await findContainerEngine()
  // Only this project has tests that need them.
  if (noContainers !== '' && project.name === 'slow')
    process.stderr.write(
      `\n!!! NO CONTAINER ENGINE: tests against Mosquitto ${CONTAINERS_REQUIRED ? 'FAIL' : 'are SKIPPED, nothing is proved about it'} (${noContainers})\n\n`,
    )
  project.provide('noContainers', noContainers)
}
