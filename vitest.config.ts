import { defineConfig } from 'vitest/config'

/**
 * `npm test` builds and runs the projects `fast` and `slow`, one after the other. One alone:
 *
 *   npx vitest run --project fast      parts by themselves: minutes
 *   npx vitest run --project slow   real brokers (containers) and real processes: minutes; builds `dist/` itself
 *   npm run test:crash                 kill -9 of everything, and then the count: minutes; tests/crash/README.md
 *   npm run test:containers            compose.yaml and the image as users have them: minutes, without their caches a few more
 *   npm run test:interop               other people's software judges ours: a minute; tests/interop/README.md
 *
 * Without a container engine the tests that need one are skipped and a line says so;
 * SNOWHAT_REQUIRE_CONTAINERS=1 (for CI) makes them fail instead. Those of the compiled `i2c-bus` need it and a C compiler, and
 * SNOWHAT_REQUIRE_I2C_ADDON=1 does the same for them, SNOWHAT_REQUIRE_PROMETHEUS=1 for those of `prometheus` and `promtool`,
 * SNOWHAT_REQUIRE_CHROMIUM=1 for those of the page.
 */
const SLOW = 'tests/{contract,e2e,emulator-fidelity,i2c-shim}/**/*.test.ts'
const CRASH = 'tests/crash/**/*.test.ts'
const CONTAINERS = 'tests/containers/**/*.test.ts'
const INTEROP = 'tests/interop/**/*.test.ts'

/** See `tests/support/eventually.ts`: a test's bound must not come before that of what it waits for. */
const patience = Number(process.env.SNOWHAT_TEST_PATIENCE ?? 1)
const bound = (seconds: number) => ({
  testTimeout: seconds * 1_000 * patience,
  hookTimeout: seconds * 1_000 * patience,
})

const slow = { globalSetup: ['tests/support/slow-setup.ts'], ...bound(180) }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'fast',
          include: ['tests/**/*.test.ts'],
          exclude: [SLOW, CRASH, CONTAINERS, INTEROP],
          ...bound(120),
          // A process that is made anew for every file, and loads all libraries again, is a third of all their time.
          isolate: false,
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      // Each test runs several processes of its own, and mostly waits: more at once would make two cores stumble.
      { test: { ...slow, name: 'slow', include: [SLOW], maxWorkers: 2, sequence: { groupOrder: 1 } } },
      {
        test: {
          ...slow,
          name: 'crash',
          env: {
            SNOWHAT_CRASH_SEED: process.env.SNOWHAT_CRASH_SEED ?? String(Math.floor(Date.now() / 1000) % 1_000_000),
          },
          include: [CRASH],
          ...bound(600),
          maxWorkers: 2,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...slow,
          name: 'interop',
          include: [INTEROP],
          maxWorkers: 1,
          sequence: { groupOrder: 3 },
        },
      },
      {
        test: {
          ...slow,
          name: 'containers',
          include: [CONTAINERS],
          maxWorkers: 1,
          sequence: { groupOrder: 5 },
        },
      },
    ],
  },
})
