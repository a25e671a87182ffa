import { type FileHandle, open } from 'node:fs/promises'
import type { Frame } from '../frame.ts'
import type { LedMatrix } from '../led-matrix.ts'
import { FRAMEBUFFER, findNodeAgain, nodeFault } from './device-node.ts'
import { FRAME_BYTES, rgb565 } from './rgb565.ts'

/**
 * The LED matrix over the framebuffer of its kernel driver. It is opened by the first frame, and found and opened again by the
 * next one after a failure: a driver that was loaded anew may offer it under another number.
 */
export class FramebufferMatrix implements LedMatrix {
  readonly via = 'framebuffer'
  readonly #root: string
  #file: FileHandle | undefined

  /** `root`: directory that stands for `/`. */
  constructor(root: string) {
    this.#root = root
  }

  async show(frame: Frame): Promise<void> {
    try {
      // Not to be made where there is none: a file of that name would take every frame and show nothing.
      this.#file ??= await open(await findNodeAgain(this.#root, FRAMEBUFFER), 'r+')
      const { bytesWritten } = await this.#file.write(rgb565(frame), 0, FRAME_BYTES, 0)
      if (bytesWritten !== FRAME_BYTES) throw new Error(`it took ${bytesWritten} of ${FRAME_BYTES} bytes`)
    } catch (error) {
      await this.close()
      throw nodeFault(FRAMEBUFFER, error)
    }
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = undefined
    // What cannot be closed is not used any more either.
    await file?.close().catch(() => undefined)
  }
}
