import { describe, expect, it } from 'vitest'
import { objectTo, type Situation } from '../../../cli/forget/objections.ts'
import { ledger } from '../../support/ledgers.ts'

const url = 'http://nas:8080'
const running: Situation['bridge'] = {
  online: true,
  instance: 'run1',
  url,
  page: { instance: 'run1', spool_on_disk: true },
}
const stopped: Situation['bridge'] = { online: false, instance: 'run1', url, page: undefined }
/** A Pi that was stopped, and a bridge that knows all of it to be in the table. */
const well: Situation = {
  hostname: 'pi',
  online: false,
  ledger: ledger({ instance: 'run1' }),
  outbox: 3,
  bridge: running,
}

const gently = { force: false, channel: false }
const words = (over: Partial<Situation>, wish = gently): string => {
  try {
    objectTo({ ...well, ...over }, wish)
    return ''
  } catch (error) {
    return (error as Error).message
  }
}

describe('nothing is said against forgetting', () => {
  it('a Pi that is stopped, whatever its outbox holds: the bridge on its disk knows what is in the table', () => {
    expect(words({})).toBe('')
  })

  it('a device of which no bridge has written, though none runs', () => {
    expect(words({ ledger: undefined, bridge: stopped })).toBe('')
  })

  it('where the bridge remembers nothing, a Pi whose outbox is empty', () => {
    expect(words({ outbox: 0, bridge: { ...running, page: { instance: 'run1', spool_on_disk: false } } })).toBe('')
  })
})

describe('it is objected, unless it is forced, to', () => {
  it.each<[string, Partial<Situation>, RegExp]>([
    ['a Pi that is online', { online: true }, /^pi is online: it would announce itself again at once$/],
    ['a reading that waits', { ledger: ledger({ lag_rows: 1 }) }, /^1 reading of pi is with the bridge and not in/],
    ['readings that wait', { ledger: ledger({ lag_rows: 3 }) }, /^3 readings of pi are with the bridge and not in/],
    ['a bridge that is not running and would come back with its ledger', { bridge: stopped }, /^no bridge is running/],
    [
      'a bridge in memory and an outbox that holds readings',
      { bridge: { ...running, page: { instance: 'run1', spool_on_disk: false } } },
      /^the bridge remembers what is in the table only while it runs/,
    ],
    [
      'a bridge in memory and an outbox nobody knows of',
      { outbox: undefined, bridge: { ...running, page: { instance: 'run1', spool_on_disk: false } } },
      /^the bridge remembers what is in the table only while it runs/,
    ],
  ])('%s', (_what, over, reason) => {
    expect(words(over)).toMatch(reason)
    expect(words(over, { ...gently, force: true })).toBe('')
  })
})

describe('who is to be asked again is told all at once', () => {
  it('a Pi that is online, with readings that wait: each with what to do about it', () => {
    const both = { online: true, ledger: ledger({ lag_rows: 3 }) }
    expect(words(both)).toBe(
      'pi is online: it would announce itself again at once; 3 readings of pi are with the bridge and not in the table yet',
    )
    expect(() => objectTo({ ...well, ...both }, gently)).toThrow(
      expect.objectContaining({ hint: expect.stringMatching(/^stop snowhat publisher .*; snowhat ledger pi shows/) }),
    )
  })

  it('but not of what was overruled already', () => {
    const several = { online: true, bridge: { ...running, page: undefined } }
    expect(words(several)).toMatch(/^pi is online: .*; a bridge is running, and its page/)
    expect(words(several, { ...gently, force: true })).toMatch(/^a bridge is running, and its page/)
  })
})

describe('it is objected, by force neither, to', () => {
  it.each<[string, Partial<Situation>, boolean, RegExp]>([
    [
      'a bridge that runs and cannot be told',
      { bridge: { ...running, page: undefined } },
      false,
      /does not answer at http:\/\/nas/,
    ],
    [
      "another bridge's page",
      { bridge: { ...running, instance: 'oth1' } },
      false,
      /^the page at http:\/\/nas:8080 is of another bridge \(run1\) than the one at this broker \(oth1\)$/,
    ],
    ['dropping a channel without a bridge', { bridge: stopped }, true, /it is the bridge that drops a channel$/],
  ])('%s', (_what, over, channel, reason) => {
    expect(words(over, { force: true, channel })).toMatch(reason)
  })
})
