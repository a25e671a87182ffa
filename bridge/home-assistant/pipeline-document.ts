import type { HaComponent, HaDocument } from '../../src/home-assistant/document.ts'
import { HA_BRIDGE, haDeviceIdentifier, haDeviceName, haNamed } from '../../src/home-assistant/names.ts'
import type { Topics } from '../../src/topics.ts'

export interface PipelineDocumentInput {
  readonly hostname: string
  /** Of the bridge. */
  readonly version: string
  /** The bridge is a device too: Home Assistant makes an empty one of a parent it does not know. */
  readonly underBridge: boolean
}

/**
 * What the bridge adds to a Pi's device: how its readings fare on their way into the table. The state is the device's
 * ledger, which is there anyway. It hangs on the bridge's availability and not on the Pi's: of a Pi that is dead one wants
 * to know the last commit. Keys of the Pi's own document must not be used again.
 *
 * There is no problem sensor: a ledger speaks when something changes, and a device that is held is told of by the bridge.
 */
export function pipelineDocument(
  { hostname, underBridge, version }: PipelineDocumentInput,
  topics: Topics,
): HaDocument {
  const components: Record<string, HaComponent> = {
    // It falls when readings come after all, which is no reset.
    missing: {
      ...haNamed('sensor', hostname, 'missing', 'Readings missing'),
      value_template: '{{ value_json.counters.undeclared_gaps }}',
      unit_of_measurement: 'readings',
      state_class: 'measurement',
      icon: 'mdi:help-rhombus-outline',
      entity_category: 'diagnostic',
    },
    rejected: {
      ...haNamed('sensor', hostname, 'rejected', 'Rows rejected'),
      value_template: '{{ value_json.counters.rejected }}',
      unit_of_measurement: 'rows',
      state_class: 'total_increasing',
      icon: 'mdi:database-remove-outline',
      entity_category: 'diagnostic',
    },
    // These two change with each ledger: every five seconds a row in the recorder, for each Pi.
    lag: {
      ...haNamed('sensor', hostname, 'lag', 'Pipeline lag'),
      value_template: '{{ value_json.lag_seconds }}',
      device_class: 'duration',
      unit_of_measurement: 's',
      state_class: 'measurement',
      suggested_display_precision: 0,
      entity_category: 'diagnostic',
      enabled_by_default: false,
    },
    last_commit: {
      ...haNamed('sensor', hostname, 'last_commit', 'Last commit'),
      value_template: '{{ value_json.last_commit_at }}',
      device_class: 'timestamp',
      entity_category: 'diagnostic',
      enabled_by_default: false,
    },
  }
  return {
    device: {
      identifiers: [haDeviceIdentifier(hostname)],
      name: haDeviceName(hostname),
      ...(underBridge && { via_device: haDeviceIdentifier(HA_BRIDGE) }),
    },
    origin: { name: 'snowhat', sw_version: version },
    availability: [{ topic: topics.bridgeAvailability }],
    availability_mode: 'all',
    state_topic: topics.ledger(hostname),
    qos: 1,
    components,
  }
}
