import { expect, it } from 'vitest'
import { patient } from '../support/eventually.ts'
import { describeWithMosquitto } from '../support/mosquitto-process.ts'
import { DOCUMENT, expectNothingAmiss, Household, RETAINED } from './household.ts'

const MISHAPS = ['broker', 'Home Assistant', 'publisher'] as const

type Mishap = (typeof MISHAPS)[number]

const ORDERS = MISHAPS.flatMap((first) => {
  const others = MISHAPS.filter((mishap) => mishap !== first)
  return [
    [first, ...others],
    [first, ...others.toReversed()],
  ]
})

/** How a broker goes. */
const ENDS = {
  'keeps what it was told': (house: Household) => house.broker.kill('SIGTERM'),
  'has lost everything': async (house: Household) => {
    await house.broker.kill('SIGKILL')
    house.broker.wipe()
  },
}

describeWithMosquitto('when broker, Home Assistant and publisher are restarted', () => {
  it.each(Object.entries(ENDS))(
    'in whatever order there is one device, each entity once, and all of them come back; the broker %s',
    { timeout: 120_000 },
    async (_how, end) => {
      const house = await Household.open()
      let publisher = house.publisher()
      const restart: Record<Mishap, () => Promise<void>> = {
        broker: async () => {
          await end(house)
          await house.broker.start()
        },
        'Home Assistant': () => house.ha.restart(),
        publisher: async () => {
          publisher.kill('SIGKILL')
          await publisher.ended()
          publisher = house.publisher()
        },
      }
      await house.isThere()
      const entityIds = house.ha.entities().map(({ entityId }) => entityId)
      for (const order of ORDERS) {
        // Nobody waits until the others have recovered.
        for (const mishap of order) await restart[mishap]()
        await house.speaks()
        await house.isThere()
        await house.until(`the connection after ${order}`, () => house.state('connectivity') === 'on')
        expectNothingAmiss(house)
        expect(
          house.ha.entities().map(({ entityId }) => entityId),
          `${order}`,
        ).toEqual(entityIds)
      }
      expect([...(await house.retained()).keys()].sort()).toEqual(RETAINED.toSorted())
    },
  )

  it('B9: of a broker that was wiped everything retained is back within 30 s', async () => {
    const house = await Household.open()
    house.publisher()
    await house.isThere()
    const before = await house.retained()
    expect([...before.keys()].sort()).toEqual(RETAINED.toSorted())
    await house.broker.kill('SIGKILL')
    house.broker.wipe()
    const from = house.heard.all.length
    await house.broker.start()
    const began = performance.now()
    await house.heard.until((all) => RETAINED.every((topic) => all.slice(from).some((heard) => heard.topic === topic)))
    expect(performance.now() - began).toBeLessThan(patient(30_000))
    expect((await house.retained()).get(DOCUMENT)).toBe(before.get(DOCUMENT))
    await house.isThere()
    expectNothingAmiss(house)
  })
})
