import { describeWithContainers } from '../support/container.ts'
import { startMosquitto } from '../support/mosquitto.ts'
import { brokerContract } from './broker.ts'

describeWithContainers('Mosquitto in a container', () => {
  brokerContract({
    name: 'Mosquitto',
    speaks: ['5', '3.1.1'],
    remembersAcrossRestart: true,
    marksRedelivery: true,
    retainedComeFirst: 200,
    start: startMosquitto,
  })
})
