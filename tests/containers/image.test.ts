import { beforeAll, expect, it } from 'vitest'
import { describeWithContainers } from '../support/container.ts'
import { buildImage, docker, IMAGES } from './compose-project.ts'

const BASE = 'node:24-bookworm-slim'
const MOST_BYTES = 60_000_000
const RUN = ['run', '--rm', '--read-only', '--tmpfs', '/tmp', '--cap-drop', 'ALL'] as const

describeWithContainers('the image of bridge and publisher', { timeout: 900_000 }, () => {
  beforeAll(() => buildImage('production', IMAGES.production), 900_000)

  it('adds at most 60 MB to its base', async () => {
    const size = async (image: string) => Number((await docker('image', 'inspect', '-f', '{{.Size}}', image)).stdout)
    expect((await size(IMAGES.production)) - (await size(BASE))).toBeLessThanOrEqual(MOST_BYTES)
  })

  it('has no compiler, and no package that is needed only to develop or to emulate', async () => {
    const look = 'for p in cc gcc g++ make python3 tsc; do command -v $p; done; ls node_modules node_modules/@*'
    const { stdout } = await docker(...RUN, '--entrypoint', 'sh', IMAGES.production, '-c', look)
    const found = stdout.split('\n')
    expect(found).toContain('mqtt')
    expect(
      found.filter((name) => /^\/|typescript|biome|vitest|duckdb|aedes|testcontainers|tsx|i2c-bus/.test(name)),
    ).toEqual([])
  })

  it('runs as nobody in particular on a root it cannot write, and has a healthcheck', async () => {
    const { stdout } = await docker('image', 'inspect', '-f', '{{json .Config}}', IMAGES.production)
    expect(JSON.parse(stdout)).toMatchObject({ User: '1000:1000', Healthcheck: { Test: expect.any(Array) } })
    expect(await docker(...RUN, IMAGES.production, '--version')).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    })
  })

  it('says in one sentence that it has nowhere to keep its spool', async () => {
    expect(await docker(...RUN, IMAGES.production)).toMatchObject({
      code: 1,
      stderr:
        'snowhat: The directory /spool cannot be used for a log: the disk is read-only.\n         in a container mount a volume there; an SD card that turned read-only is usually worn out: replace it\n',
    })
    expect(await docker(...RUN, '--tmpfs', '/spool:mode=755,uid=7', '--user', '4242', IMAGES.production)).toMatchObject(
      {
        code: 1,
        stderr:
          'snowhat: The directory /spool cannot be used for a log: permission denied.\n         let the user the program runs as own that directory (chown -R 4242 /spool), or choose another one\n',
      },
    )
  })
})
