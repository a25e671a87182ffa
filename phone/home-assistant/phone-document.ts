import type { HaDocument, HaSensor } from '../../src/home-assistant/document.ts'
import { haEntityId } from '../../src/home-assistant/names.ts'
import type { PhoneTopics } from '../topics.ts'
import type { ShownState } from './live-phone.ts'

/** Seconds without `state` until a value is none any more. */
const EXPIRE_AFTER_S = 60
/** What a window can be called, the classifiers' and the one for too little to say. */
export const ACTIVITIES = ['stationary', 'walking', 'running', 'sprinting', 'unknown']
/** The beginning of a `deviceId` tells phones apart well enough for people. */
const NAME_LENGTH = 8

type About = Pick<
  HaSensor,
  | 'name'
  | 'device_class'
  | 'unit_of_measurement'
  | 'state_class'
  | 'suggested_display_precision'
  | 'icon'
  | 'options'
  | 'entity_category'
> & { readonly expires?: false }

const SENSORS: Readonly<Record<keyof ShownState, About>> = {
  activity: { name: 'Activity', device_class: 'enum', options: ACTIVITIES, icon: 'mdi:walk' },
  confidence: {
    name: 'Confidence',
    unit_of_measurement: '%',
    state_class: 'measurement',
    suggested_display_precision: 0,
    icon: 'mdi:percent',
  },
  average_magnitude: {
    name: 'Average acceleration',
    unit_of_measurement: 'm/s²',
    state_class: 'measurement',
    suggested_display_precision: 2,
    icon: 'mdi:vibrate',
  },
  samples_per_second: {
    name: 'Samples per second',
    unit_of_measurement: '1/s',
    state_class: 'measurement',
    suggested_display_precision: 0,
    icon: 'mdi:pulse',
    entity_category: 'diagnostic',
  },
  // Its age is what is looked at, above all when nothing comes any more.
  last_message: { name: 'Last message', device_class: 'timestamp', entity_category: 'diagnostic', expires: false },
  gaps: {
    name: 'Missing messages',
    state_class: 'measurement',
    suggested_display_precision: 0,
    icon: 'mdi:message-off',
    entity_category: 'diagnostic',
  },
  battery: {
    name: 'Battery',
    device_class: 'battery',
    unit_of_measurement: '%',
    state_class: 'measurement',
    entity_category: 'diagnostic',
  },
  steps: { name: 'Steps', state_class: 'measurement', suggested_display_precision: 0, icon: 'mdi:shoe-print' },
}

/** What a phone does not send by itself: announced when it does. */
export interface Sends {
  readonly battery: boolean
  readonly steps: boolean
}

/** A phone's device document. Its id is that of no Pi. */
export function phoneDocument(device: string, sends: Sends, version: string, topics: PhoneTopics): HaDocument {
  const keys = (Object.keys(SENSORS) as (keyof ShownState)[]).filter(
    (key) => (key !== 'battery' && key !== 'steps') || sends[key],
  )
  return {
    device: {
      identifiers: [`sensehat_phone_${device}`],
      name: `Phone ${device.slice(0, NAME_LENGTH)}`,
      model: 'Sensor Logger',
      serial_number: device,
    },
    origin: { name: 'snowhat', sw_version: version },
    availability: [{ topic: topics.availability }],
    availability_mode: 'all',
    state_topic: topics.state(device),
    qos: 1,
    components: Object.fromEntries(keys.map((key) => [key, component(device, key)])),
  }
}

function component(device: string, key: keyof ShownState): HaSensor {
  const { expires, ...about } = SENSORS[key]
  return {
    platform: 'sensor',
    unique_id: `sensehat_phone_${device}_${key}`,
    default_entity_id: haEntityId('sensor', `phone_${device.slice(0, NAME_LENGTH)}`, key),
    value_template: `{{ value_json.${key} }}`,
    ...about,
    ...(expires !== false && { expire_after: EXPIRE_AFTER_S }),
  }
}
