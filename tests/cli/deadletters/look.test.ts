import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { letterJson } from '../../../bridge/dead-letters/letter-json.ts'
import type { KeptLetter } from '../../../bridge/dead-letters/letter-record.ts'
import { deadLettersIn } from '../../../bridge/dead-letters/open-dead-letters.ts'
import { readLetterFile } from '../../../cli/deadletters/letter-file.ts'
import type { Letter } from '../../../cli/deadletters/letters.ts'
import { letterTable } from '../../../cli/deadletters/table.ts'
import { temporaryDirectory } from '../../support/directory.ts'
import { reading } from '../../support/readings.ts'
import { Place } from './support.ts'

describe('snowhat deadletters list', () => {
  it('shows beside a running bridge what was kept, the newest at the end', async () => {
    const place = new Place()
    await place.keep(reading(2, { temperature: 'warm' }))
    await place.keep('temp=21', { device: 'pi-attic', code: 'not_json', reason: 'the payload is not JSON' })
    const { code, lines } = await place.run('list')
    expect(code).toBe(0)
    expect(lines[0]).toMatch(/^no\. +when \(UTC\) +device +code +bytes +reason +payload$/)
    expect(lines[1]).toMatch(/^ +1 +2026-11-22 12:00:00 +pi +wrong_type +\d+ +temperature: must be a number +\{"uuid"/)
    expect(lines[2]).toMatch(/^ +2 +2026-11-22 12:00:00 +pi-attic +not_json +7 +the payload is not JSON +temp=21$/)
    expect(lines.at(-1)).toBe('(2 dead letters)')
  })

  it('chooses by device and by code, and shows the newest few', async () => {
    const place = new Place()
    for (let i = 1; i <= 5; i++) await place.keep(`${i}`, { device: i === 2 ? 'pj' : 'pi', code: 'not_an_object' })
    await place.keep('x', { code: 'not_json' })
    expect((await place.run('list', '--device', 'pj')).lines).toHaveLength(3)
    expect((await place.run('list', '--code', 'not_json')).out).toContain('(1 dead letter)')
    const few = await place.run('list', '--limit', '2')
    expect(few.lines.slice(1, 3).map((line) => line.trim().split(' ')[0])).toEqual(['5', '6'])
    expect(few.lines.at(-1)).toBe('(6 dead letters; the newest 2 are shown (--limit 0 shows all))')
  })

  it('gives programs one JSON object per line', async () => {
    const place = new Place()
    await place.keep('xyz', { position: { stream: 'aaaaaaaa', seq: 3 } })
    const { lines } = await place.run('list', '--json')
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      {
        number: 1,
        at: '2026-11-22T12:00:00.000Z',
        device: 'pi',
        topic: 'sensehat/pi/readings',
        code: 'wrong_type',
        reason: 'temperature: must be a number',
        stream: 'aaaaaaaa',
        seq: 3,
        bytes: 3,
      },
    ])
  })

  it('has nothing to show where a bridge never kept one', async () => {
    const place = new Place()
    mkdirSync(deadLettersIn(place.dir))
    const { dir, env } = place
    delete env.SNOWHAT_SPOOL_DIR
    for (const option of ['--dir', '--spool-dir'])
      expect(await place.run('list', option, dir)).toMatchObject({ code: 0, out: '(0 dead letters)\n' })
  })

  it.each([
    ['no word', [], 2, 'wants list, export or replay'],
    ['another word', ['lst'], 2, 'did you mean list?'],
    ["another action's option", ['list', '--dry-run'], 2, 'list has no option --dry-run'],
    ['numbers', ['list', '17'], 2, 'takes no 17'],
    ['a limit that is none', ['list', '--limit', 'all'], 2, '--limit all'],
    ['a directory that is not there', ['list', '--dir', '/nowhere/spool'], 1, '/nowhere/spool'],
    ['a directory that is no spool', ['list', '--dir', '/'], 1, '/ is no spool directory'],
    ['a code that does not exist', ['list', '--code', 'not_jsn'], 2, 'did you mean not_json?'],
    ['no directory', ['list', '--dir', ''], 2, 'SNOWHAT_SPOOL_DIR'],
    ['nothing to replay', ['replay'], 2, 'give numbers, or --all, or --file'],
    ['too much to replay', ['replay', '17', '--all'], 2, 'in one way'],
    ['a number that is none', ['replay', 'seventeen'], 2, 'seventeen'],
    ['a range that runs backwards', ['replay', '5-3'], 2, '5-3'],
    ['a device that is none', ['replay', '--all', '--to', 'bridge'], 2, '--to bridge'],
    ['a file that is not there', ['replay', '--file', '/nowhere/l.ndjson'], 1, '/nowhere/l.ndjson'],
  ])('says in words that %s is wrong', async (_what, argv, code, words) => {
    const ended = await new Place().run(...argv)
    expect(ended.code).toBe(code)
    expect(ended.err).toContain(words)
    expect(ended.err).not.toMatch(/\n\s+at /)
  })
})

describe('the table', () => {
  const letter = (over: Partial<Letter>): Letter => ({
    number: 1,
    device: 'pi',
    topic: 't',
    code: 'not_json',
    reason: 'r',
    payload: Buffer.from('x'),
    at: 0,
    ...over,
  })

  it('does nothing to a terminal, whatever the letter holds', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string({ unit: 'binary' }), (payload, text) => {
        const lines = letterTable([letter({ payload: Buffer.from(payload), reason: text, device: text })], 120)
        expect(lines).toHaveLength(2)
        expect(lines.join('')).not.toMatch(/\p{C}/u)
      }),
    )
  })

  it('fills the line of the terminal and no more', () => {
    const lines = letterTable([letter({ payload: Buffer.from('y'.repeat(500)) })], 100)
    expect(lines[1]).toHaveLength(100)
    expect(lines[1]?.endsWith('…')).toBe(true)
  })
})

const kept: fc.Arbitrary<KeptLetter & { number: number }> = fc.record({
  number: fc.integer({ min: 1, max: 1_000_000 }),
  device: fc.constantFrom('', 'pi'),
  topic: fc.string({ unit: 'grapheme' }),
  code: fc.constantFrom('not_json', 'too_many'),
  reason: fc.string({ unit: 'grapheme' }),
  payload: fc.oneof(fc.uint8Array(), fc.string({ unit: 'grapheme' })).map((p) => Buffer.from(p as string)),
  at: fc.integer({ min: 0, max: 4_000_000_000_000 }),
  position: fc.option(fc.record({ stream: fc.constant('aaaaaaaa'), seq: fc.nat() }), { nil: undefined }),
  cutFrom: fc.option(fc.integer({ min: 1 }), { nil: undefined }),
})

describe('snowhat deadletters export', () => {
  it('loses nothing: the same letters come back from its lines', async () => {
    const file = join(temporaryDirectory(), 'letters.ndjson')
    await fc.assert(
      fc.asyncProperty(fc.array(kept, { maxLength: 5 }), async (letters) => {
        writeFileSync(file, letters.map((letter) => `${JSON.stringify(letterJson(letter))}\n`).join(''))
        const back: Letter[] = []
        for await (const letter of readLetterFile(file)) back.push(letter)
        const defined = (letter: object) => JSON.parse(JSON.stringify(letter)) as unknown
        expect(back.map(defined)).toEqual(letters.map(defined))
      }),
    )
  })

  it('writes text as text and the rest as base64, to a file or to standard output', async () => {
    const place = new Place()
    await place.keep('{"a":1}')
    await place.keep(Buffer.from([0xff, 0xfe]))
    const { lines } = await place.run('export')
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { number: 1, payload: '{"a":1}' },
      { number: 2, payload_base64: '//4=' },
    ])
    const file = join(temporaryDirectory(), 'out.ndjson')
    expect(await place.run('export', '--out', file)).toMatchObject({
      code: 0,
      out: `exported 2 dead letters to ${file}\n`,
    })
    expect(readFileSync(file, 'utf8')).toBe(`${lines.join('\n')}\n`)
    // One that fails leaves the last one as it was.
    expect((await place.run('export', '--dir', '/nowhere/spool', '--out', file)).code).toBe(1)
    expect(readFileSync(file, 'utf8')).toBe(`${lines.join('\n')}\n`)
    expect((await place.run('export', '--out', '/nowhere/x')).err).toContain('cannot write /nowhere/x')
  })

  it.each([
    ['no JSON', 'x', 'it is not JSON'],
    ['no object', '[]', 'it'],
    ['no payload', '{"device":"pi"}', 'one of payload and payload_base64'],
    ['two payloads', '{"device":"pi","payload":"x","payload_base64":"eA=="}', 'one of payload and payload_base64'],
    ['a number that JSON text cannot hold', '{"device":"pi","payload":{"a":1e999}}', 'too large'],
  ])('of an edited file a line with %s is named, and nothing is sent', async (_what, line, words) => {
    const place = new Place()
    const file = join(temporaryDirectory(), 'edited.ndjson')
    writeFileSync(file, `{"device":"pi","payload":"{}"}\n\n${line}\n`)
    const { code, err } = await place.run('replay', '--file', file)
    expect(code).toBe(1)
    expect(err).toContain(`line 3 of ${file} is no dead letter`)
    expect(err).toContain(words)
  })
})
