import type { Section, ValuesOf } from '../../src/setting.ts'

export const demoSection = {
  pis: { kind: 'count', default: 3, doc: 'simulated Raspberry Pis' },
  rate: { kind: 'number', default: 2, doc: 'readings per second of each Pi' },
  for: { kind: 'duration', default: 0, doc: 'how long to run, such as 20s; 0 runs until Ctrl-C' },
  data: { kind: 'string', default: './data/demo', doc: 'directory for warehouse.duckdb' },
  mqtt_port: { kind: 'port', default: 1883, doc: "port of the demo's broker" },
  snowpipe_port: { kind: 'port', default: 8085, doc: "port of the demo's Snowpipe emulator" },
  port: { kind: 'port', default: 8080, doc: "port of the bridge's page" },
  max_batches: {
    kind: 'count',
    default: 0,
    doc: 'stop when each Pi has taken this many batches of readings; 0 runs on',
  },
} as const satisfies Section

export type DemoSettings = ValuesOf<typeof demoSection>
