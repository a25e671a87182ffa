import { type Section, secret, type ValuesOf } from './setting.ts'

export const mqttSection = {
  url: {
    kind: 'string',
    default: 'mqtt://127.0.0.1:1883',
    doc: 'the broker: mqtt://, mqtts://, ws:// or wss://, host and port',
  },
  username: { kind: 'string', default: '', doc: 'user at the broker' },
  ...secret('password', 'password at the broker'),
  ca_file: { kind: 'string', default: '', doc: "PEM file with the CA that signed the broker's certificate" },
  cert_file: { kind: 'string', default: '', doc: 'PEM file with our own client certificate' },
  key_file: { kind: 'string', default: '', doc: "PEM file with the client certificate's key" },
  protocol: {
    kind: 'string',
    default: 'auto',
    choices: ['auto', '5', '3.1.1'],
    doc: 'MQTT version; auto asks for 5 and falls back to 3.1.1',
  },
  keepalive_s: { kind: 'count', default: 30, doc: 'seconds between signs of life to the broker' },
  base_topic: { kind: 'string', default: 'sensehat', doc: 'first topic level' },
  discovery_prefix: { kind: 'string', default: 'homeassistant', doc: "Home Assistant's discovery prefix" },
} as const satisfies Section

export type MqttSettings = ValuesOf<typeof mqttSection>
