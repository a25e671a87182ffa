import { stripVTControlCharacters } from 'node:util'
import { describe, expect, it } from 'vitest'
import { openDisplay } from '../../cli/demo/display.ts'
import { clockTime, cut, type DemoView, frame, type PiView, sparkline, sums, thousands } from '../../cli/demo/screen.ts'
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
  data: './data/demo',
  ports: { mqtt: 1883, page: 8080, snowpipe: 8085 },
  messages: [],
  ...over,
})

const WIDE = { columns: 120, rows: 40 }
const SMALL = { columns: 80, rows: 24 }
const fleet = (size: number) => Array.from({ length: size }, (_, i) => pi(`pi-${i}`))

describe('a frame of the demo', () => {
  it('has no colour codes when colour is off, and the same words when it is on', () => {
    const plain = frame(view(), false, WIDE)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    expect(plain.join('\n')).not.toMatch(/\x1b/)
    const coloured = frame(view(), true, WIDE)
    expect(coloured.join('\n')).toContain('\x1b[')
    expect(coloured.map(stripVTControlCharacters)).toEqual(plain)
  })

  it('aligns its columns: every number ends under the end of its title', () => {
    const lines = frame(view(), false, WIDE)
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
    const [, , top = '', bottom = ''] = frame(view(), false, WIDE)
    for (const [station, number] of [
      ['2 Pis', '6.0 readings/s'],
      ['broker', ':1883'],
      ['bridge', '34 on the way'],
      ['Snowpipe', ':8085'],
      ['table', '1,200 rows'],
    ] as const)
      expect(bottom.indexOf(number)).toBe(top.indexOf(station))
  })

  it('adds up: published is what is in the table and what is on the way', () => {
    expect(sums(view({ pis: fleet(3) }))).toEqual({ published: 3_702, inTable: 3_600, onTheWay: 102 })
  })

  it.each([
    [80, 24],
    [120, 40],
    [109, 30],
    [110, 30],
    [60, 15],
    [30, 8],
    [200, 5],
  ])('stays inside a terminal of %i x %i, whatever it has to show', (columns, rows) => {
    const messages = Array.from({ length: 4 }, (_, i) => `a message ${i} ${'that is long '.repeat(20)}`)
    const ports = { mqtt: 11883, page: 18080, snowpipe: 18085 }
    const long = fleet(50).map((one) => ({ ...one, temperatures: Array.from({ length: 60 }, (_, i) => 20 + i) }))
    for (const over of [{}, { pis: long, messages, ports, ratePerSecond: 12_345.6, data: '/d'.repeat(90) }])
      for (const phase of ['running', 'draining', 'stopped'] as const)
        for (const colour of [true, false]) {
          const lines = frame(view({ ...over, phase }), colour, { columns, rows }).map(stripVTControlCharacters)
          expect(lines.length).toBeLessThan(rows)
          for (const line of lines) expect([...line].length).toBeLessThanOrEqual(columns)
        }
  })

  it('shows as many Pis as there are rows for, and says how many are not shown', () => {
    const lines = frame(view({ pis: fleet(50) }), false, SMALL)
    expect(lines).toHaveLength(23)
    const shown = lines.filter((line) => /^ {2}pi-\d/.test(line)).length
    expect(shown).toBeGreaterThan(8)
    expect(lines.join('\n')).toContain(`and ${50 - shown} more`)
    expect(frame(view({ pis: fleet(11) }), false, SMALL).join('\n')).not.toContain('more')
  })

  it('leaves out the lesser values where it is narrow, and cuts no command in two', () => {
    const text = frame(view(), false, SMALL).join('\n')
    expect(text).not.toMatch(/%RH|hPa|…/)
    expect(text).toMatch(/°C +published +in table +lag/)
    expect(text).toContain('"select count(*) from sensehat_sensor_data"')
  })

  it('says what it does at the end, and shows messages', () => {
    expect(frame(view({ phase: 'draining', messages: ['lost the MQTT broker'] }), false, WIDE).join('\n')).toMatch(
      /committing[\s\S]*lost the MQTT broker/,
    )
  })

  it('says stopped when it is, and leaves out what no longer answers', () => {
    const text = frame(view({ phase: 'stopped' }), false, WIDE).join('\n')
    expect(text).toMatch(/stopped/)
    expect(text).toContain('./data/demo/warehouse.duckdb')
    expect(text).not.toMatch(/committing|http:|Home Assistant|snowhat query/)
  })
})

describe('parts of a frame', () => {
  it.each([
    [[], ''],
    [[21], '▁'],
    [[21, 21.01, 21.02], '▁▁▁'],
    [[21, 21.16, 21.29], '▁▅█'],
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

  it('a line is cut by what is seen of it, and its colour ends', () => {
    expect(cut('\x1b[32mabcdef\x1b[39m', 6)).toBe('\x1b[32mabcdef\x1b[39m')
    expect(cut('\x1b[32mabc\x1b[39mdef', 5)).toBe('\x1b[32mabc\x1b[39md…')
    expect(cut('\x1b[32mabcdef\x1b[39m', 3)).toBe('\x1b[32mab…\x1b[39m')
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
    expect(written[0]).toBe('00:00:00  2 Pis, 1,234 readings published: 1,200 in the table, 34 on the way\n')
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
  it('reads the size of the window at each draw, and begins anew when it has changed', () => {
    const written: string[] = []
    const output = { write: (text: string) => written.push(text), isTTY: true, columns: 120, rows: 40 }
    const display = openDisplay(output)
    display.show(view())
    Object.assign(output, SMALL)
    display.show(view())
    display.show(view())
    expect(written[0]).toContain('hPa')
    expect(written[1]).not.toContain('hPa')
    expect(written[1]?.startsWith('\x1b[H\x1b[2J')).toBe(true)
    expect(written[2]).toMatch(/\[\d+A/)
  })
})
