import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openDisplay } from '../../cli/demo/display.ts'
import { clockTime, type DemoView, frame, type PiView, sparkline, thousands } from '../../cli/demo/screen.ts'
import type { Reading } from '../../src/reading.ts'

const pi = (hostname: string, over: Partial<PiView> = {}): PiView => ({
  hostname,
  latest: { temperature: 21.456, humidity: 45.21, pressure: 1013.24 } as Reading,
  temperatures: [21, 21.2, 21.5],
  published: 1_234,
  inTable: 1_200,
  lagSeconds: 1.25,
  ...over,
})

const view = (over: Partial<DemoView> = {}): DemoView => ({
  elapsedSeconds: 3_725,
  phase: 'running',
  pis: [
    pi('pi-kitchen'),
    pi('pi-attic', { latest: undefined, temperatures: [], published: 0, inTable: 0, lagSeconds: 12 }),
  ],
  ratePerSecond: 6,
  waiting: 12,
  missing: 0,
  rows: 3_600,
  data: './data/demo',
  ports: { mqtt: 1883, page: 8080, snowpipe: 8085 },
  messages: [],
  ...over,
})

describe('a frame of the demo', () => {
  it('has no colour codes when colour is off, and the same words when it is on', () => {
    const plain = frame(view(), false)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(plain.join('\n')).not.toMatch(/\x1b/)
    const coloured = frame(view(), true)
    expect(coloured.join('\n')).toContain('\x1b[')
    expect(coloured.map(stripVTControlCharacters)).toEqual(plain)
  })

  it('aligns its columns: every number ends under the end of its title', () => {
    const lines = frame(view(), false)
    const header = lines.findIndex((line) => line.includes('temperature'))
    const titles = lines[header] ?? ''
    for (const line of lines.slice(header + 1, header + 3)) {
      expect(line).toHaveLength(titles.length)
      for (const title of ['°C', '%RH', 'hPa', 'published', 'in table', 'lag']) {
        const end = titles.indexOf(title) + title.length
        expect(line[end - 1]).toMatch(/\S/)
        expect(line[end] ?? ' ').toBe(' ')
      }
    }
    expect(lines[header + 1]).toMatch(/21\.46\s+45\.2\s+1013\.2\s+1,234\s+1,200\s+1\.3 s$/)
    expect(lines[header + 2]).toMatch(/–\s+–\s+–\s+0\s+0\s+12\.0 s$/)
  })

  it('shows the way of the readings, with the numbers under their stations', () => {
    const [, , top = '', bottom = ''] = frame(view(), false)
    for (const [station, number] of [
      ['2 Pis', '6.0 readings/s'],
      ['broker', ':1883'],
      ['bridge', '12 waiting'],
      ['Snowpipe', ':8085'],
      ['table', '3,600 rows'],
    ] as const)
      expect(bottom.indexOf(number)).toBe(top.indexOf(station))
  })

  it('fits a large fleet on a screen and says how many are not shown', () => {
    const lines = frame(view({ pis: Array.from({ length: 50 }, (_, i) => pi(`pi-${i}`)) }), false)
    expect(lines.length).toBeLessThan(30)
    expect(lines.join('\n')).toContain('and 36 more')
  })

  it('says what it does at the end, and shows messages', () => {
    expect(frame(view({ phase: 'draining', messages: ['lost the MQTT broker'] }), false).join('\n')).toMatch(
      /committing[\s\S]*lost the MQTT broker/,
    )
  })
})

describe('parts of a frame', () => {
  it.each([
    [[], ''],
    [[21], '▁'],
    [[21, 21.01, 21.02], '▁▁▁'],
    [[20, 21, 22, 23], '▁▃▆█'],
    [[23, 20], '█▁'],
  ])('a sparkline of %j is %j', (values, line) => {
    expect(sparkline(values, 30)).toBe(line)
  })

  it('a sparkline shows the last values only', () => {
    expect(
      sparkline(
        Array.from({ length: 99 }, (_, i) => i),
        30,
      ),
    ).toHaveLength(30)
  })

  it('numbers have separators and time has two digits each', () => {
    expect(thousands(1_234_567)).toBe('1,234,567')
    expect(clockTime(3_725.9)).toBe('01:02:05')
  })
})

describe('the display', () => {
  it('writes a line every five seconds where there is no terminal, without any code', () => {
    const written: string[] = []
    const display = openDisplay({ write: (text) => written.push(text) })
    for (let s = 0; s < 11; s++) display.show(view({ elapsedSeconds: s }))
    display.log.write('{"level":40,"msg":"lost the MQTT broker","code":"E"}\n')
    expect(written).toHaveLength(4)
    expect(written[0]).toBe('00:00:00  2 Pis, 1,234 readings published, 3,600 in the table, 12 waiting\n')
    expect(written[3]).toBe('lost the MQTT broker · E\n')
  })

  it('draws over its last frame on a terminal, whatever its height was', () => {
    const written: string[] = []
    const display = openDisplay({ write: (text) => written.push(text), isTTY: true })
    display.show(view())
    display.log.write('{"msg":"one"}')
    display.show(view())
    display.show(view())
    const lines = (text: string) => text.split('\n').length - 1
    expect(written[0]).not.toMatch(/\[\d+A/)
    expect(written[1]).toContain(`[${lines(written[0] ?? '')}A`)
    expect(written[2]).toContain(`[${lines(written[1] ?? '')}A`)
    expect(lines(written[1] ?? '')).toBe(lines(written[0] ?? '') + 1)
  })
})
