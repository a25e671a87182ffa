import { getContainerRuntimeClient } from 'testcontainers'
import { describe, inject, it } from 'vitest'

/** Set where a missing engine is a failure: in CI. */
export const CONTAINERS_REQUIRED = process.env.SNOWHAT_REQUIRE_CONTAINERS === '1'

/** Empty when there is an engine, otherwise why there is none. */
export async function findContainerEngine(): Promise<string> {
  try {
    await getContainerRuntimeClient()
    return ''
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Tests that need a container engine. Without one they are skipped, or fail where one is required. */
export function describeWithContainers(name: string, tests: () => void): void
export function describeWithContainers(name: string, options: { readonly timeout: number }, tests: () => void): void
export function describeWithContainers(name: string, ...rest: [() => void] | [{ timeout: number }, () => void]): void {
  const [options, tests] = rest.length === 2 ? rest : [{}, rest[0]]
  const why = inject('noContainers')
  if (why === '') describe(name, options, tests)
  else if (CONTAINERS_REQUIRED)
    it(`${name}: has a container engine`, () => {
      throw new Error(`SNOWHAT_REQUIRE_CONTAINERS=1, and ${why}`)
    })
  else describe.skip(`${name} (SKIPPED: no container engine)`, tests)
}
