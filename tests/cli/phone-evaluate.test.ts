import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { snowhat } from '../support/command.ts'
import { temporaryDirectory } from '../support/directory.ts'

const run = (...argv: string[]) => snowhat(['phone', ...argv], {})

/** 30 s of somebody who swings by so much, in g, at 50 Hz; columns as in the data set itself, or as in an extract of it. */
function trial(swing: number, own: boolean): string {
  const rows = Array.from({ length: 1500 }, (_, k) => {
    const y = swing * Math.sin(2 * Math.PI * 2 * (k / 50))
    return own ? [k, 0, 1, 0, 0.01, y, 0] : [0, 1, 0, 0.01, y, 0]
  })
  const header = own
    ? ',gravity.x,gravity.y,gravity.z,userAcceleration.x,userAcceleration.y,userAcceleration.z'
    : 'gx,gy,gz,ax,ay,az'
  return [header, ...rows.map((row) => row.join(','))].join('\n')
}

async function dataSet(dir: string, own: boolean): Promise<string> {
  for (const [name, swing] of [
    ['sit_5', 0.003],
    ['std_6', 0.005],
    ['wlk_7', 0.8],
    ['jog_9', 1.9],
  ] as const) {
    await mkdir(join(dir, name))
    for (const person of [1, 2, 3]) {
      const text = trial(swing * (1 + person / 50), own)
      if (own) await writeFile(join(dir, name, `sub_${person}.csv`), text)
      else await writeFile(join(dir, name, `sub_0${person}.csv.gz`), gzipSync(text))
    }
  }
  return dir
}

describe('snowhat phone evaluate', () => {
  it.each([true, false])('reads the data set, as it is published: %s, and prints the cards', async (own) => {
    const dir = await dataSet(temporaryDirectory(), own)
    const file = join(temporaryDirectory(), 'windows.csv')
    const { code, out } = await run('evaluate', dir, '--windows', file, '--json')
    const said = JSON.parse(out)
    // 30 s hold eleven windows.
    expect(said).toMatchObject({ windows: 4 * 3 * 11, people: 3 })
    expect(said.evaluated.map(({ model }: { model: string }) => model)).toEqual([
      'std-logit-v1',
      'avg-logit-v1',
      'seed-v1',
    ])
    expect(said.evaluated[0].card.accuracy).toBe(1)
    expect([code, said.missed]).toEqual([said.missed.length === 0 ? 0 : 1, said.missed])
    const again = await run('evaluate', file, '--json')
    expect(again.out).toBe(out)
    expect((await readFile(file, 'utf8')).split('\n')[0]).toBe('person,activity,trial,avg_magnitude,std_total')
  })

  it('prints for people, and ends with 0 when no mark is missed', async () => {
    const { code, out } = await run('evaluate', 'tests/phone/evaluate/motionsense-windows.csv')
    expect(code).toBe(0)
    expect(out).toContain('std-logit-v1 (classifier std; each person judged by a model fitted to the others)')
  })

  it('ends with 1 and says so when one is', async () => {
    const text = await readFile('tests/phone/evaluate/motionsense-windows.csv', 'utf8')
    const file = join(temporaryDirectory(), 'windows.csv')
    // Who jogs is said to walk, every second time.
    await writeFile(file, text.replaceAll(/^(\d*[02468]),jog,/gm, '$1,wlk,'))
    const { code, out } = await run('evaluate', file)
    expect(code).toBe(1)
    expect(out).toMatch(/macro-F1 0\.\d+ is below 0\.955/)
  })

  it.each([
    [['evalute'], 'has no evalute', 2],
    [['evaluate'], 'wants one folder', 2],
    [['evaluate', 'a', 'b'], 'wants one folder', 2],
    [['evaluate', '/nowhere'], 'cannot read /nowhere', 1],
    [['evaluate', 'docs'], 'holds no trials', 1],
    [['evaluate', 'package.json'], 'no table of windows', 1],
    [['evaluate', 'tests/phone/evaluate/motionsense-windows.csv', '--parameters', 'package.json'], 'parameters', 78],
    [
      ['evaluate', 'tests/phone/evaluate/motionsense-windows.csv', '--windows', '/nowhere/x'],
      'cannot write /nowhere/x',
      1,
    ],
  ])('says what is wrong with %j', async (argv, words, exit) => {
    const { code, err } = await run(...argv)
    expect(err).toContain(words)
    expect(code).toBe(exit)
  })
})
