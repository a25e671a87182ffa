import { EventEmitter } from 'node:events'
import { describe, expect, it } from 'vitest'
import { main } from '../../cli/main.ts'

async function run(argv: readonly string[]) {
  const out: string[] = []
  const err: string[] = []
  const host = Object.assign(new EventEmitter(), {
    env: { SNOWHAT_LOG_LEVEL: 'silent' },
    pid: 1,
    exit: () => undefined,
    stdout: { write: (text: string) => out.push(text) },
    stderr: { write: (text: string) => err.push(text) },
  })
  const code = await main(['publisher', 'probe', ...argv], host)
  return { code, out: out.join(''), err: err.join('') }
}

describe('snowhat publisher probe', () => {
  it('shows a person what is on the bus', async () => {
    const { code, out, err } = await run(['--simulate', '--board', 'v2'])
    expect([code, err]).toEqual([0, ''])
    const lines = out.split('\n')
    expect(lines.slice(0, 2)).toEqual(['bus     simulated', 'board   Sense HAT V2'])
    expect(lines.slice(3, 5)).toEqual(['LEDs    simulated', 'stick   simulated'])
    expect(lines[6]).toBe('address  chip                  identity  verdict  measures')
    expect(lines[7]).toMatch(/^0x5f {5}HTS221 +0xbc {6}found +humidity, temperature/)
    expect(lines[11]).toMatch(/^0x29 {5}TCS34725 +0x44 {6}found +colour, light/)
  })

  it('tells a program the same as JSON', async () => {
    const { code, out } = await run(['--simulate', '--json'])
    expect(code).toBe(0)
    const report = JSON.parse(out)
    expect(report).toMatchObject({ bus: 'simulated', simulated: true, board: 'Sense HAT' })
    expect(report.probed[0]).toEqual({
      address: '0x5f',
      chip: 'HTS221',
      measures: 'humidity, temperature',
      identity: '0xbc',
      verdict: 'found',
      hint: null,
    })
  })

  it('without a bus says how to get one, and does not look at a simulated one', async () => {
    // No machine has that many buses; one that never compiled i2c-bus is told so first.
    const { code, out, err } = await run(['--i2c-bus', '250'])
    expect([code, out]).toEqual([1, ''])
    expect(err).toMatch(/the I2C bus is not there .*\n.*dtparam=i2c_arm=on|npm install i2c-bus/)
  })

  it('takes no further words', async () => {
    expect(await run(['twice'])).toMatchObject({ code: 2, err: expect.stringContaining('takes no twice') })
  })
})
