import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isHostname, toHostname } from '../../src/hostname.ts'
import { createTopics } from '../../src/topics.ts'

const topics = createTopics('sensehat', 'homeassistant')
const allowed = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/).filter((name) => isHostname(name))

describe('a hostname', () => {
  it.each(['pi', '0', 'pi-kitchen', 'pi_1', 'a'.repeat(63), '9-'])('may be %j', (name) => {
    expect(isHostname(name)).toBe(true)
  })

  it.each([
    '',
    '-pi',
    '_pi',
    'Pi',
    'pi.local',
    'pi/1',
    'pi+',
    'pi#',
    'pi\0',
    'pi\n',
    'pi ',
    'ä',
    'a'.repeat(64),
    'bridge',
    'elastic',
  ])('is never %j', (name) => {
    expect(isHostname(name)).toBe(false)
  })

  it.each([
    ['Pi-Kitchen.local', null, 'pi-kitchen-local'],
    ['raspberrypi', '10000000ABCD1234', 'raspberrypi-1234'],
    ['RASPBERRYPI', '10000000abcdEF01', 'raspberrypi-ef01'],
    ['raspberrypi', null, 'raspberrypi'],
    ['raspberrypi-2', '10000000abcd1234', 'raspberrypi-2'],
    ['..attic', null, 'attic'],
    ['Dach Boden', null, 'dach-boden'],
    ['x'.repeat(80), null, 'x'.repeat(63)],
    ['Bridge', null, undefined],
    ['elastic', null, undefined],
    ['---', null, undefined],
    ['', null, undefined],
  ])('is made of the host name %j and the serial %j: %j', (host, serial, hostname) => {
    expect(toHostname(host, serial)).toBe(hostname)
  })

  it('made of any text at all is one that is allowed, or none', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.option(fc.stringMatching(/^[0-9a-fA-F]{16}$/)), (text, serial) => {
        const name = toHostname(text, serial)
        if (name !== undefined) expect(isHostname(name)).toBe(true)
      }),
    )
  })
})

describe('topics', () => {
  it('give back the hostname they were made of', () => {
    fc.assert(
      fc.property(allowed, (hostname) => {
        expect(topics.hostnameOfReadings(topics.readings(hostname))).toBe(hostname)
        expect(topics.keyOfLedger(topics.ledger(hostname))).toBe(hostname)
        expect(topics.hostnameOfDeviceDiscovery(topics.deviceDiscovery(hostname))).toBe(hostname)
        expect(topics.hostnameOfPipelineDiscovery(topics.pipelineDiscovery(hostname))).toBe(hostname)
        expect(topics.hostnameOfDeviceDiscovery(topics.pipelineDiscovery(hostname))).toBeUndefined()
      }),
    )
  })

  it('of a hostname have no wildcard, no NUL and no level too many', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        const hostname = toHostname(text, null)
        if (hostname === undefined) return
        for (const topic of [
          topics.readings(hostname),
          topics.state(hostname),
          topics.ledger(hostname),
          topics.deviceDiscovery(hostname),
          topics.pipelineDiscovery(hostname),
        ])
          expect(topic).not.toMatch(/[+#\0]|\/\//)
        expect(topics.readings(hostname).split('/')).toHaveLength(3)
        expect(topics.ledger(hostname).split('/')).toHaveLength(4)
      }),
    )
  })

  it('name a hostname only when it is one that is allowed, whatever a broker delivers', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (level) => {
        const name = topics.hostnameOfReadings(`sensehat/${level}/readings`)
        expect(name).toBe(isHostname(level) ? level : undefined)
      }),
    )
  })

  it.each([
    'sensehat/bridge/readings',
    'sensehat/elastic/readings',
    'sensehat/Pi/readings',
    'sensehat//readings',
    'sensehat/readings',
    'sensehat/a/b/readings',
    'sensehat/a/state',
    'other/a/readings',
    'sensehat/a/readings/',
    '',
  ])('find no device in %j', (topic) => {
    expect(topics.hostnameOfReadings(topic)).toBeUndefined()
  })

  it('follow the two names that are settings', () => {
    const other = createTopics('lab/hats', 'ha')
    expect(other.readings('pi')).toBe('lab/hats/pi/readings')
    expect(other.hostnameOfReadings('lab/hats/pi/readings')).toBe('pi')
    expect(other.deviceDiscovery('pi')).toBe('ha/device/pi/sensehat/config')
    expect(other.homeAssistantStatus).toBe('ha/status')
    expect(other.ledger('pi')).toBe('lab/hats/bridge/devices/pi')
  })

  it('of readings never catch a ledger, and the other way round', () => {
    expect(topics.hostnameOfReadings(topics.ledger('readings'))).toBeUndefined()
    expect(topics.keyOfLedger(topics.readings('pi'))).toBeUndefined()
  })
})
