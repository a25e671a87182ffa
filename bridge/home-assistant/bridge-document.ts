import type {
  HaBinarySensor,
  HaComponent,
  HaDocument,
  HaPlatform,
  HaSensor,
} from '../../src/home-assistant/document.ts'
import { HA_BRIDGE, haDeviceIdentifier, haEntityId, haNamed } from '../../src/home-assistant/names.ts'
import type { Topics } from '../../src/topics.ts'
import { ALERT_CODES, type AlertCode } from '../status/alerts.ts'

export interface BridgeDocumentInput {
  readonly version: string
  /** Address of the bridge's page, http or https; left out where nobody has said it. */
  readonly url?: string
  /** Left out where the settings name no price. */
  readonly currency?: string
  /** The settings name a budget. */
  readonly budget?: boolean
  /** What Snowflake is signed in to with says when it ends. */
  readonly credentialExpires: boolean
}

/** For entity ids: `bridge` alone would be anybody's. */
const ENTITY_NODE = 'snowhat_bridge'
/** A press that was not delivered within this time is dropped, seconds. */
const PRESS_EXPIRES_S = 15

/** What each alert is called on the phone. */
const ALERT_NAMES: Readonly<Record<AlertCode, string>> = {
  held: 'Device held',
  blocked: 'Snowflake refuses rows',
  behind: 'Pipeline behind',
  missing: 'Readings missing',
  rejected: 'Rows rejected',
  spool_full: 'Spool full',
  ledger_refused: 'Ledgers refused by broker',
  dead_letters_not_kept: 'Dead letters not kept',
  duplicate_channel_owner: 'Channel used by another program',
  rival: 'Another bridge',
  credential_expires: 'Credential expires soon',
  budget_projected: 'Budget will be exceeded',
  budget_exceeded: 'Budget exceeded',
}

/** What an entity may say beyond its name; all of it is for the page, or for statistics. */
type Extras = Omit<HaSensor, 'platform' | 'unique_id' | 'name' | 'value_template'> &
  Partial<Pick<HaSensor, 'value_template'>>

/**
 * The bridge's device document. Its state is `bridge/health`, retained, so nothing expires: what ends with the bridge
 * hangs on its availability. The page shows what a person asks first; all else is under diagnostics.
 */
export function bridgeDocument(input: BridgeDocumentInput, topics: Topics): HaDocument {
  const { url, version } = input
  return {
    device: {
      identifiers: [haDeviceIdentifier(HA_BRIDGE)],
      name: 'Snowhat bridge',
      manufacturer: 'Snowhat',
      model: 'MQTT to Snowflake bridge',
      sw_version: version,
      ...(url !== undefined && { configuration_url: url }),
    },
    origin: { name: 'snowhat', sw_version: version },
    availability: [{ topic: topics.bridgeAvailability }],
    availability_mode: 'all',
    state_topic: topics.bridgeHealth,
    qos: 1,
    components: Object.fromEntries([
      ...connections(topics),
      ...problems(input, topics),
      ...figures(),
      ...days(input),
      flush(topics),
    ]),
  }
}

type Entry = readonly [key: string, component: HaComponent]

function connections(topics: Topics): Entry[] {
  return [
    binary('connection', 'Connection', 'connectivity', {
      state_topic: topics.bridgeAvailability,
      payload_on: 'online',
      payload_off: 'offline',
      // It shows the availability, so it must not hang on it.
      availability: [],
    }),
    // `null` is written as None, which is unknown.
    binary('snowflake', 'Snowflake', 'connectivity', {
      value_template: '{{ value_json.snowflake.reachable }}',
      payload_on: 'True',
      payload_off: 'False',
    }),
  ]
}

/** One for all, and one for each that a person may want on the phone. */
function problems({ budget = false, credentialExpires }: BridgeDocumentInput, topics: Topics): Entry[] {
  const isShown = (code: AlertCode) => {
    if (code === 'credential_expires') return credentialExpires
    return budget || (code !== 'budget_projected' && code !== 'budget_exceeded')
  }
  return [
    binary('problem', 'Problem', 'problem', {
      value_template: "{{ 'ON' if value_json.problem else 'OFF' }}",
      json_attributes_topic: topics.bridgeHealth,
      json_attributes_template:
        "{{ {'reasons': value_json.problem_reasons, 'since': value_json.problem_since} | tojson }}",
    }),
    ...ALERT_CODES.filter(isShown).map(alert),
  ]
}

function figures(): Entry[] {
  return [
    sensor('devices', 'Devices', 'devices', { state_class: 'measurement', icon: 'mdi:raspberry-pi' }),
    sensor('rows_per_second', 'Rows per second', 'rows_per_second', {
      unit_of_measurement: 'rows/s',
      state_class: 'measurement',
      suggested_display_precision: 1,
      icon: 'mdi:database-arrow-up',
    }),
    sensor('lag', 'Lag', 'lag_seconds', {
      device_class: 'duration',
      unit_of_measurement: 's',
      state_class: 'measurement',
      suggested_display_precision: 0,
      entity_category: 'diagnostic',
    }),
    sensor('rows_waiting', 'Rows waiting', 'rows_waiting', {
      unit_of_measurement: 'rows',
      state_class: 'measurement',
      icon: 'mdi:tray-full',
      entity_category: 'diagnostic',
    }),
    sensor('spool_size', 'Spool', 'spool_bytes', {
      device_class: 'data_size',
      unit_of_measurement: 'B',
      state_class: 'measurement',
      entity_category: 'diagnostic',
      enabled_by_default: false,
    }),
    sensor('last_commit', 'Last commit', 'last_commit_at', {
      device_class: 'timestamp',
      entity_category: 'diagnostic',
      enabled_by_default: false,
    }),
  ]
}

function days({ budget = false, credentialExpires, currency }: BridgeDocumentInput): Entry[] {
  const priced = currency === undefined ? [] : cost(currency, budget)
  const expiry = sensor('credential_expires_at', 'Credential expires', 'credential_expires_at', {
    device_class: 'timestamp',
    entity_category: 'diagnostic',
  })
  return [
    sensor('missing_today', 'Missing today', 'today.missing', {
      // It falls when readings come after all, which is no reset.
      unit_of_measurement: 'readings',
      state_class: 'measurement',
      icon: 'mdi:help-rhombus-outline',
    }),
    sensor('rejected_today', 'Rejected today', 'today.rejected', {
      unit_of_measurement: 'rows',
      state_class: 'total_increasing',
      icon: 'mdi:database-remove-outline',
      entity_category: 'diagnostic',
    }),
    sensor('sent_today', 'Sent today', 'today.bytes', {
      device_class: 'data_size',
      unit_of_measurement: 'B',
      state_class: 'total_increasing',
      entity_category: 'diagnostic',
    }),
    ...priced,
    ...(credentialExpires ? [expiry] : []),
  ]
}

function cost(currency: string, budget: boolean): Entry[] {
  const used = sensor('budget_used', 'Budget used', 'budget', {
    value_template: '{{ (100 * value_json.cost_so_far / value_json.budget) | round(1) }}',
    unit_of_measurement: '%',
    state_class: 'measurement',
    suggested_display_precision: 0,
    icon: 'mdi:cash-clock',
  })
  return [
    sensor('cost_today', 'Cost today', 'today.cost', {
      device_class: 'monetary',
      unit_of_measurement: currency,
      state_class: 'total',
      last_reset_value_template: '{{ value_json.today.since }}',
      suggested_display_precision: 4,
      entity_category: 'diagnostic',
    }),
    // A guess: nothing that statistics could add up.
    sensor('cost_month', 'Cost this month', 'cost_month', {
      device_class: 'monetary',
      unit_of_measurement: currency,
      suggested_display_precision: 2,
    }),
    ...(budget ? [used] : []),
  ]
}

function flush(topics: Topics): Entry {
  return [
    'flush',
    {
      ...named('button', 'flush', 'Send what waits'),
      command_topic: topics.request('flush'),
      payload_press: '{}',
      message_expiry_interval: PRESS_EXPIRES_S,
      icon: 'mdi:database-export',
      entity_category: 'config',
    },
  ]
}

function alert(code: AlertCode): Entry {
  return binary(code, ALERT_NAMES[code], 'problem', {
    value_template: `{{ 'ON' if value_json.alerts.${code} else 'OFF' }}`,
  })
}

function binary(key: string, name: string, deviceClass: string, more: Partial<HaBinarySensor>): Entry {
  return [
    key,
    { ...named('binary_sensor', key, name), device_class: deviceClass, entity_category: 'diagnostic', ...more },
  ]
}

/** `field`: where its value stands in the bridge's health. */
function sensor(key: string, name: string, field: string, more: Extras): Entry {
  return [key, { ...named('sensor', key, name), value_template: `{{ value_json.${field} }}`, ...more }]
}

function named<P extends HaPlatform>(platform: P, key: string, name: string) {
  return { ...haNamed(platform, HA_BRIDGE, key, name), default_entity_id: haEntityId(platform, ENTITY_NODE, key) }
}
