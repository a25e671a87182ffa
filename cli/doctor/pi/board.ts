import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import { busOf } from '../../../publisher/board.ts'
import { SharedBus } from '../../../publisher/sensors/bus/shared-bus.ts'
import { probe } from '../../../publisher/sensors/probe.ts'
import { hintOf, messageOf } from '../../../src/errors.ts'
import type { Check } from '../check.ts'
import type { Examination } from '../examination.ts'
import { broken, type Finding, ok, warn } from '../finding.ts'

const simulated = ({ settings }: Examination) => (settings.publisher.simulate ? 'the board is simulated' : undefined)

/** The bus's file, and the right to use it. */
const busCheck: Check = {
  id: 'pi.bus',
  side: 'pi',
  pointless: simulated,
  async run({ settings }) {
    const device = `/dev/i2c-${settings.publisher.i2c_bus}`
    if ((await stat(device).catch(() => undefined)) === undefined)
      return [
        broken('pi.bus', `there is no ${device}`, {
          why: 'the I2C bus is switched off, or the board is another one',
          fix: 'sudo raspi-config nonint do_i2c 0, then restart the Pi; --publisher-i2c-bus names another bus',
        }),
      ]
    try {
      await access(device, constants.R_OK | constants.W_OK)
      return [ok('pi.bus', `${device} is there, and ${userInfo().username} may use it`)]
    } catch {
      const { username } = userInfo()
      return [
        broken('pi.bus', `${username} may not use ${device}`, {
          fix: `sudo usermod -aG i2c,video,input ${username}, then sign in again; or run the publisher by its service`,
        }),
      ]
    }
  },
}

/** Asks every chip who it is, and changes nothing on the bus. */
const sensorsCheck: Check = {
  id: 'pi.sensors',
  side: 'pi',
  pointless: simulated,
  async run({ settings, clock }): Promise<Finding[]> {
    const bus = new SharedBus(busOf(settings.publisher), clock)
    try {
      const { board, probed } = await probe(bus, '/')
      const found = probed.filter(({ verdict }) => verdict === 'found').map(({ chip }) => chip)
      const fix = 'is the board pressed on all 40 pins? snowhat publisher probe shows every address'
      if (board === null)
        return [
          broken('pi.sensors', `no Sense HAT answers${found.length === 0 ? '' : `, only ${found.join(', ')}`}`, {
            fix,
          }),
        ]
      const troubled = probed.filter(({ verdict }) => ['claimed', 'strange', 'faulty'].includes(verdict))
      return [
        ok('pi.sensors', `${board}: ${found.join(', ')}`),
        ...troubled.map(({ chip, address, verdict, hint }) =>
          warn('pi.sensors', `${chip} at ${address} is ${verdict}`, { fix: hint ?? fix }),
        ),
      ]
    } catch (error) {
      return [
        broken('pi.sensors', messageOf(error), { fix: hintOf(error) ?? 'snowhat publisher probe shows every address' }),
      ]
    } finally {
      await bus.close()
    }
  },
}

export const boardChecks: readonly Check[] = [busCheck, sensorsCheck]
