import { type Broker, startBroker } from '../../cli/demo/broker.ts'
import { brokerContract } from './broker.ts'

/** The demo's own broker, as the demo starts it. */
brokerContract({
  name: 'aedes',
  speaks: ['3.1.1'],
  remembersAcrossRestart: false,
  marksRedelivery: false,
  // With many, aedes 1.2.0 lets live messages overtake them. In the demo nothing is retained before its only bridge.
  retainedComeFirst: 1,
  start: async () => {
    let broker: Broker = await startBroker(0)
    const { port } = broker
    return {
      url: `mqtt://127.0.0.1:${port}`,
      restart: async () => {
        await broker.close()
        broker = await startBroker(port)
      },
      stop: () => broker.close(),
    }
  },
})
