import { chmodSync, existsSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { describe, expect, it, onTestFinished } from 'vitest'
import { FRAMEBUFFER, nodeFault } from '../../../../publisher/matrix/drivers/device-node.ts'
import { FramebufferMatrix } from '../../../../publisher/matrix/drivers/framebuffer-matrix.ts'
import { rgb565 } from '../../../../publisher/matrix/drivers/rgb565.ts'
import { DARK } from '../../../../publisher/matrix/frame.ts'
import { temporaryDirectory } from '../../../support/directory.ts'
import { drawn } from '../support.ts'
import { framebuffer } from './kernel-devices.ts'

const PICTURE = drawn('#....... .#...... ..#..... ...#.... ....#... .....#.. ......#. #######.')

function matrixIn(root: string): FramebufferMatrix {
  const matrix = new FramebufferMatrix(root)
  onTestFinished(() => matrix.close())
  return matrix
}

describe('the framebuffer of the board', () => {
  it('is found by its name among others, and each frame replaces the one before', async () => {
    const root = temporaryDirectory()
    const screen = framebuffer(root, 0, 'BCM2708 FB')
    const { node } = framebuffer(root, 11)
    const matrix = matrixIn(root)
    await matrix.show(PICTURE)
    expect(readFileSync(node)).toEqual(rgb565(PICTURE))
    await matrix.show(DARK)
    expect(readFileSync(node)).toEqual(Buffer.alloc(128))
    expect(readFileSync(screen.node)).toEqual(Buffer.alloc(128, 0xee))
  })

  it('that went away is told, is not made anew as a file, and is used again under another number', async () => {
    const root = temporaryDirectory()
    const { node, remove } = framebuffer(root, 1)
    const matrix = matrixIn(root)
    await matrix.show(DARK)
    await matrix.close()
    rmSync(node)
    await expect(matrix.show(PICTURE)).rejects.toMatchObject({ code: 'E_DEVICE', retryable: true })
    expect(existsSync(node)).toBe(false)
    framebuffer(root, 1)
    remove()
    await expect(matrix.show(PICTURE)).rejects.toThrow('the kernel offers the LED matrix no more')
    const again = framebuffer(root, 2)
    await matrix.show(PICTURE)
    expect(readFileSync(again.node)).toEqual(rgb565(PICTURE))
  })

  it('that fails while it is open is opened again by the next frame', async () => {
    const root = temporaryDirectory()
    const { node } = framebuffer(root, 1)
    rmSync(node)
    // Takes nothing: every write fails with ENOSPC.
    symlinkSync('/dev/full', node)
    const matrix = matrixIn(root)
    await expect(matrix.show(PICTURE)).rejects.toThrow(/the LED matrix fails: .*(ENOSPC|no space)/)
    rmSync(node)
    framebuffer(root, 1)
    await matrix.show(PICTURE)
    expect(readFileSync(node)).toEqual(rgb565(PICTURE))
  })

  it.skipIf(process.getuid?.() === 0)('that may not be used says which group may', async () => {
    const root = temporaryDirectory()
    const { node } = framebuffer(root, 1)
    chmodSync(node, 0)
    await expect(matrixIn(root).show(PICTURE)).rejects.toMatchObject({ hint: expect.stringContaining('video') })
  })
})

it.each([
  ['EACCES', 'this user may not use the LED matrix', /usermod -aG video/],
  ['EPERM', 'this user may not use the LED matrix', /usermod -aG video/],
  ['ENODEV', 'the kernel offers the LED matrix no more', /used again/],
  ['ENOENT', 'the kernel offers the LED matrix no more', /used again/],
])('%s is told in words, with what to do', (code, message, hint) => {
  const fault = nodeFault(FRAMEBUFFER, Object.assign(new Error(code), { code }))
  expect(fault.message).toBe(message)
  expect(fault.hint).toMatch(hint)
})
