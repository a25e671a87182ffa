import { describe, expect, it } from 'vitest'
import { type MatrixSettings, matrixSection, screenSettings } from '../../../publisher/matrix/config.ts'
import { isNight, localMinuteOfDay } from '../../../publisher/matrix/night.ts'

const defaults = Object.fromEntries(
  Object.entries(matrixSection).map(([name, setting]) => [name, setting.default]),
) as MatrixSettings
const read = (changed: Partial<MatrixSettings>) => screenSettings({ ...defaults, ...changed })

it('by default the picture is upright, there is no status and no night', () => {
  expect(read({})).toEqual({ rotation: 0, status: false, scrollRate: 10, night: undefined })
})

it('takes what is asked for', () => {
  const asked = { rotation: '270', status: true, scroll_rate: 12.5, night_from: '22:30', night_to: ' 06:05' } as const
  expect(read(asked)).toEqual({
    rotation: 270,
    status: true,
    scrollRate: 12.5,
    night: { from: 1350, to: 365, brightness: 10 },
  })
})

it.each([
  [{ scroll_rate: 0 }, 'scroll_rate is 0; it must be from 1 to 20 columns a second'],
  [{ scroll_rate: 21 }, 'scroll_rate is 21; it must be from 1 to 20 columns a second'],
  [{ night_from: '22:30' }, 'night_to is ""; it must be a time of day such as 22:30'],
  [{ night_from: '24:00', night_to: '6:00' }, 'night_from is "24:00"; it must be a time of day such as 22:30'],
  [{ night_from: '07:00', night_to: '07:00' }, 'night_from and night_to are the same time'],
  [{ night_from: '22:00', night_to: '07:00', night_brightness: 0 }, 'night_brightness is 0; it must be from 1 to 255'],
])('%o is refused with a sentence', (changed, message) => {
  expect(() => read(changed)).toThrow(expect.objectContaining({ code: 'E_CONFIG_INVALID', message }))
})

describe('the night', () => {
  const at = (from: number, to: number) =>
    [0, 359, 360, 720, 1349, 1350, 1439].map((m) => isNight({ from, to, brightness: 1 }, m))

  it('may go over midnight', () => {
    expect(at(1350, 360)).toEqual([true, true, false, false, false, true, true])
  })

  it('may lie within a day', () => {
    expect(at(360, 1350)).toEqual([false, false, true, true, true, false, false])
  })

  it('goes by the time of the place', () => {
    const date = new Date(2026, 6, 4, 21, 35, 59)
    expect(localMinuteOfDay(date.getTime())).toBe(21 * 60 + 35)
  })
})
