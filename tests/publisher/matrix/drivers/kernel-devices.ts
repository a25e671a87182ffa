import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { EventBytes } from '../../../../publisher/matrix/drivers/input-event.ts'

function list(root: string, entry: string, nameFile: string, name: string): string {
  const directory = join(root, entry)
  mkdirSync(join(directory, nameFile, '..'), { recursive: true })
  writeFileSync(join(directory, nameFile), `${name}\n`)
  return directory
}

/** A framebuffer as its driver offers it, with a file for its memory. Gives the node, and takes it away. */
export function framebuffer(root: string, number: number, name = 'RPi-Sense FB') {
  const listed = list(root, `sys/class/graphics/fb${number}`, 'name', name)
  mkdirSync(join(root, 'dev'), { recursive: true })
  const node = join(root, `dev/fb${number}`)
  writeFileSync(node, Buffer.alloc(128, 0xee))
  const remove = () => {
    rmSync(listed, { recursive: true })
    rmSync(node)
  }
  return { node, remove }
}

/** An input device, with a pipe for its events: reading it finds nothing while nobody writes. Gives the node. */
export function inputDevice(root: string, number: number, name = 'Raspberry Pi Sense HAT Joystick'): string {
  list(root, `sys/class/input/event${number}`, 'device/name', name)
  mkdirSync(join(root, 'dev/input'), { recursive: true })
  const node = join(root, `dev/input/event${number}`)
  execFileSync('mkfifo', [node])
  return node
}

/** A `struct input_event` of the kernel, with some time in it. */
export function inputEvent(eventBytes: EventBytes, type: number, code: number, value: number): Buffer {
  const bytes = Buffer.alloc(eventBytes, 0x67)
  bytes.writeUInt16LE(type, eventBytes - 8)
  bytes.writeUInt16LE(code, eventBytes - 6)
  bytes.writeInt32LE(value, eventBytes - 4)
  return bytes
}
