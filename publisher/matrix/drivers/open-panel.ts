import type { Clock } from '../../../src/clock.ts'
import type { Log } from '../../../src/log.ts'
import type { PanelParts } from '../../panel.ts'
import type { SharedBus } from '../../sensors/bus/shared-bus.ts'
import { AttinyMatrix } from './attiny-matrix.ts'
import { AttinyStick } from './attiny-stick.ts'
import { EvdevStick } from './evdev-stick.ts'
import { findPanel } from './find-panel.ts'
import { FramebufferMatrix } from './framebuffer-matrix.ts'
import type { EventBytes } from './input-event.ts'
import { PolledJoystick } from './polled-joystick.ts'

export interface PanelOptions {
  /** The board's; transfers of the panel take their turn with those of its chips. */
  readonly bus: SharedBus
  /** Directory that stands for `/`. */
  readonly root: string
  /** Of this program. */
  readonly eventBytes: EventBytes
}

/**
 * The matrix and the joystick of a real board. What is not there now is looked for by `PanelWatch`; what is there and fails, or
 * may not be used, tries again by itself.
 */
export async function openPanel(
  { bus, root, eventBytes }: PanelOptions,
  { clock, log }: { readonly clock: Clock; readonly log: Log },
): Promise<PanelParts> {
  const { leds, joystick, problem, hint } = await findPanel(bus, root)
  log.info({ leds: leds?.where, joystick: joystick?.where }, 'the LED matrix and the joystick of the board')
  if (problem !== null)
    log.warn({ reason: problem, hint: hint ?? undefined }, 'the board is without its LED matrix or its joystick')
  const stick =
    joystick &&
    (joystick.via === 'evdev' ? new EvdevStick(root, eventBytes) : new AttinyStick(bus, () => clock.monotonic()))
  return {
    matrix:
      leds === null ? undefined : leds.via === 'framebuffer' ? new FramebufferMatrix(root) : new AttinyMatrix(bus),
    joystick: stick === null ? undefined : new PolledJoystick(stick, { clock, log }),
  }
}
