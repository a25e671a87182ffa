import { mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openLinuxBus } from '../../../../publisher/sensors/bus/linux-bus.ts'
import { temporaryDirectory } from '../../../support/directory.ts'

type Package = Awaited<ReturnType<NonNullable<Parameters<typeof openLinuxBus>[1]>>>
type PackageBus = Awaited<ReturnType<Package['openPromisified']>>

/** The package, with a bus on which only some methods do anything. */
function packageOf(methods: Partial<PackageBus>, opened: unknown[] = []): () => Promise<Package> {
  const nothing: PackageBus = {
    readByte: async () => 0,
    writeByte: async () => undefined,
    readI2cBlock: async () => ({ bytesRead: 0 }),
    i2cWrite: async () => ({ bytesWritten: 0 }),
    close: async () => undefined,
  }
  return async () => ({
    openPromisified: async (...given) => {
      opened.push(given)
      return { ...nothing, ...methods }
    },
  })
}

const options = { number: 1, force: false, root: '/nowhere' }

/** As the addon and as Node's own calls number their errors. */
const failing = (errno: number) =>
  packageOf({ readByte: () => Promise.reject(Object.assign(new Error('x'), { errno })) })

describe('an error of the bus is told by its number', () => {
  it.each([
    ['the addon says that nobody answered', 121, 'no-answer', /seated/],
    ['the controller of a Pi 5 says so', 6, 'no-answer', /seated/],
    ['the clock was stretched too long', 5, 'garbled', /baudrate/],
    ['a transfer never ended', 110, 'hung', /take its power away/],
    ['a kernel driver owns the address', 16, 'claimed', /i2c_force/],
    ['Node cannot open the bus', -2, 'gone', /dtparam=i2c_arm=on/],
    ['the bus was removed', 19, 'gone', /i2c-dev/],
    ['Node may not open the bus', -13, 'forbidden', /group i2c/],
    ['another master was first', 11, 'arbitration', undefined],
    ['nobody knows', 99, 'other', undefined],
  ])('%s (%d)', async (_what, errno, kind, hint) => {
    const bus = await openLinuxBus(options, failing(errno))
    const fault = await bus.readByte(0x5f, 0).catch((error: unknown) => error)
    expect(fault).toMatchObject({ kind, errno: Math.abs(errno), message: expect.stringContaining('0x5f') })
    if (hint !== undefined) expect(fault).toMatchObject({ hint: expect.stringMatching(hint) })
  })

  it('and a claimed address with the name of the driver, and how to take it away whatever its module is called', async () => {
    const root = temporaryDirectory()
    const device = join(root, 'sys/bus/i2c/devices/1-005c')
    await mkdir(device, { recursive: true })
    await symlink('../../../../bus/i2c/drivers/st-press-i2c', join(device, 'driver'))
    const bus = await openLinuxBus({ ...options, root }, failing(16))
    await expect(bus.readByte(0x5c, 0)).rejects.toMatchObject({
      hint: expect.stringContaining('`echo 1-005c | sudo tee /sys/bus/i2c/drivers/st-press-i2c/unbind`'),
    })
  })
})

it('a block that came short is an error', async () => {
  const bus = await openLinuxBus(options, packageOf({ readI2cBlock: async () => ({ bytesRead: 3 }) }))
  await expect(bus.readBlock(0x5f, 0xa8, Buffer.alloc(4))).rejects.toMatchObject({ kind: 'garbled' })
  await bus.readBlock(0x5f, 0xa8, Buffer.alloc(3))
  const short = await openLinuxBus(options, packageOf({ i2cWrite: async () => ({ bytesWritten: 1 }) }))
  await expect(short.write(0x46, Buffer.alloc(193))).rejects.toMatchObject({ kind: 'garbled' })
})

it('addresses of kernel drivers are used only when told so', async () => {
  const opened: unknown[] = []
  await openLinuxBus(options, packageOf({}, opened))
  await openLinuxBus({ ...options, number: 3, force: true }, packageOf({}, opened))
  expect(opened).toEqual([
    [1, { forceAccess: false }],
    [3, { forceAccess: true }],
  ])
})
