import { beforeAll, describe, expect, it } from 'vitest'
import type { HaComponent } from '../../src/home-assistant/document.ts'
import { ANNOUNCEMENTS, type Announcement, pi } from './home-assistant/announcements.ts'
import { type Case, describeWithHomeAssistant, type JudgedEntity, judge, type Verdict } from './home-assistant/judge.ts'

type Entity = Extract<HaComponent, { readonly unique_id: string }>

function entitiesOf({ document }: Announcement): [key: string, entity: Entity][] {
  return Object.entries(document.components).filter((entry): entry is [string, Entity] => 'unique_id' in entry[1])
}

/** What Home Assistant has of an entity, in the words of a document. */
function asWritten(entity: JudgedEntity) {
  return {
    platform: entity.platform,
    name: entity.name,
    default_entity_id: entity.entity_id,
    entity_category: entity.entity_category,
    enabled_by_default: entity.disabled_by === null,
    device_class: entity.device_class,
    unit_of_measurement: entity.unit,
    device: entity.device,
    ignored: entity.ignored_keys,
  }
}

describeWithHomeAssistant('Home Assistant', () => {
  const announcements = new Map<string, Announcement>()
  let verdict: Verdict

  beforeAll(async () => {
    for (const [name, announce] of Object.entries(ANNOUNCEMENTS)) announcements.set(name, await announce())
    verdict = await judge([...announcements.values()])
  })

  it('has nothing to warn of and nothing to repair', () => {
    expect(verdict.log).toEqual([])
    expect(verdict.issues).toEqual([])
  })

  it('has the entities that were announced, and no other', () => {
    const announced = [...announcements.values()].flatMap((announcement) => entitiesOf(announcement))
    expect(verdict.entities.map((entity) => entity.unique_id).sort()).toEqual(
      announced.map(([, entity]) => entity.unique_id).sort(),
    )
  })

  describe.each(Object.keys(ANNOUNCEMENTS))('%s', (name) => {
    const found = () => {
      const announcement = announcements.get(name) as Announcement
      const judged = new Map(verdict.entities.map((entity) => [`${entity.platform} ${entity.unique_id}`, entity]))
      const pairs = entitiesOf(announcement).map(([key, written]) => ({
        key,
        written,
        judged: judged.get(`${written.platform} ${written.unique_id}`),
      }))
      expect(pairs.length).toBeGreaterThan(0)
      return { announcement, pairs }
    }

    it('is one device of the announced name', () => {
      const { identifiers, name: deviceName } = found().announcement.document.device
      const devices = verdict.devices.filter((device) => device.identifiers.some((id) => identifiers.includes(id)))
      expect(devices.map((device) => device.name)).toEqual([deviceName])
    })

    it('has each entity as it is written, and knows all its keys', () => {
      const { announcement, pairs } = found()
      for (const { key, written, judged } of pairs)
        expect(judged && asWritten(judged), key).toEqual({
          platform: written.platform,
          name: written.name ?? null,
          default_entity_id: written.default_entity_id ?? judged?.entity_id,
          entity_category: written.entity_category ?? null,
          enabled_by_default: written.enabled_by_default ?? true,
          device_class: 'device_class' in written ? written.device_class : null,
          unit_of_measurement: 'unit_of_measurement' in written ? written.unit_of_measurement : null,
          device: announcement.document.device.identifiers,
          ignored: [],
        })
    })

    it('shows what was published', () => {
      const { announcement, pairs } = found()
      const shown = Object.fromEntries(pairs.map(({ key, judged }) => [key, judged?.state]))
      expect(shown).toMatchObject(announcement.shows)
      expect(Object.keys(shown).filter((key) => shown[key] === 'unavailable')).toEqual([])
    })
  })
})

describeWithHomeAssistant('what Home Assistant does not accept', () => {
  type Loose = Record<string, unknown> & { components: Record<string, Record<string, unknown>> }
  let verdict: Verdict

  /** A Pi's document, made small and spoilt. */
  async function spoilt(hostname: string, mac: string, spoil: (document: Loose) => void): Promise<Case> {
    const { payload, ...rest } = await pi(hostname, 'v1', mac)
    const document = JSON.parse(payload) as Loose
    const { temperature = {}, pressure = {} } = document.components
    document.components = { temperature, pressure }
    spoil(document)
    return { ...rest, payload: JSON.stringify(document) }
  }
  const keysOf = (hostname: string) =>
    verdict.entities
      .filter((entity) => entity.device?.includes(`sensehat_${hostname}`))
      .map((entity) => entity.unique_id.replace(`sensehat_${hostname}_`, ''))
      .sort()
  const complaints = (pattern: RegExp) => verdict.log.filter((line) => pattern.test(line.message))

  beforeAll(async () => {
    verdict = await judge([
      await spoilt('root-key', '02:00:00:00:00:01', (document) => {
        document.colour = 'red'
      }),
      await spoilt('wrong-unit', '02:00:00:00:00:02', ({ components: { pressure } }) => {
        Object.assign(pressure ?? {}, { unit_of_measurement: '°C' })
      }),
      await spoilt('same-id', '02:00:00:00:00:03', ({ components: { temperature, pressure } }) => {
        Object.assign(pressure ?? {}, { unique_id: temperature?.unique_id })
      }),
      await spoilt('misspelt', '02:00:00:00:00:04', ({ components: { pressure } }) => {
        Object.assign(pressure ?? {}, { sugested_display_precision: 1 })
      }),
    ])
  })

  it('an unknown key at the root loses the whole document', () => {
    expect(keysOf('root-key')).toEqual([])
    expect(complaints(/Invalid MQTT device discovery payload.*'colour'/s)).toHaveLength(1)
  })

  it('a unit of another device class loses the entity', () => {
    expect(keysOf('wrong-unit')).toEqual(['temperature'])
    expect(complaints(/°C.*(atmospheric_)?pressure/s).length).toBeGreaterThan(0)
  })

  it('a unique id that is taken loses the second entity', () => {
    expect(keysOf('same-id')).toEqual(['temperature'])
    expect(complaints(/does not generate unique IDs.*sensehat_same-id_temperature/s).length).toBeGreaterThan(0)
  })

  it('a misspelt key is dropped without a word, and still found', () => {
    expect(keysOf('misspelt')).toEqual(['pressure', 'temperature'])
    expect(verdict.entities.find(({ unique_id }) => unique_id === 'sensehat_misspelt_pressure')?.ignored_keys).toEqual([
      'sugested_display_precision',
    ])
  })
})
