/**
 * What a component may be and which keys it may have, as Home Assistant 2026.9 has them (spec 1.1, 1.6, 1.13;
 * read in its source).
 */
export interface Platform {
  /** Counting what is inherited from the document's root. */
  readonly required: readonly string[]
  readonly keys: ReadonlySet<string>
  /** False for those without `unique_id`, name and availability. */
  readonly entity: boolean
}

/** Spec 1.1. */
export const SUPPORTED_COMPONENTS: ReadonlySet<string> = new Set(
  (
    'alarm_control_panel binary_sensor button camera climate cover date datetime device_automation device_tracker ' +
    'event fan humidifier image infrared lawn_mower light lock notify number scene siren select sensor switch tag text ' +
    'time update vacuum valve water_heater'
  ).split(' '),
)

/** All others are entity platforms (spec 1.1). */
export const WITHOUT_ENTITY: ReadonlySet<string> = new Set(['device_automation', 'tag'])

/** Of every entity platform (spec 1.6). */
const ENTITY_KEYS = [
  'platform',
  'unique_id',
  'name',
  'default_entity_id',
  'entity_category',
  'enabled_by_default',
  'visible_by_default',
  'icon',
  'entity_picture',
  'json_attributes_topic',
  'json_attributes_template',
  'availability',
  'availability_mode',
  'availability_topic',
  'availability_template',
  'payload_available',
  'payload_not_available',
  'qos',
  'encoding',
  'message_expiry_interval',
  'group',
]

function entity(required: readonly string[], optional: string): Platform {
  return { required, keys: new Set([...ENTITY_KEYS, ...required, ...optional.split(' ')]), entity: true }
}

/** Spec 1.13. Platforms that are supported and not here are unknown to this judge. */
export const PLATFORMS: ReadonlyMap<string, Platform> = new Map([
  [
    'sensor',
    entity(
      ['state_topic'],
      'value_template device_class state_class unit_of_measurement options suggested_display_precision expire_after ' +
        'force_update last_reset_value_template',
    ),
  ],
  [
    'binary_sensor',
    entity(['state_topic'], 'payload_on payload_off value_template device_class off_delay expire_after force_update'),
  ],
  ['button', entity(['command_topic'], 'payload_press command_template device_class retain')],
  [
    'number',
    entity(
      ['command_topic'],
      'command_template state_topic value_template min max step mode device_class unit_of_measurement payload_reset ' +
        'optimistic retain',
    ),
  ],
  ['select', entity(['command_topic', 'options'], 'state_topic value_template command_template optimistic retain')],
  [
    'switch',
    entity(
      ['command_topic'],
      'state_topic value_template payload_on payload_off state_on state_off command_template device_class optimistic ' +
        'retain',
    ),
  ],
  [
    'text',
    entity(['command_topic'], 'state_topic value_template command_template min max mode pattern optimistic retain'),
  ],
  ['notify', entity(['command_topic'], 'command_template retain')],
  ['event', entity(['state_topic', 'event_types'], 'value_template device_class')],
  [
    'light',
    entity(
      ['schema', 'command_topic'],
      'state_topic brightness brightness_scale supported_color_modes effect effect_list flash flash_time_short ' +
        'flash_time_long transition optimistic retain white_scale color_temp_kelvin min_kelvin max_kelvin',
    ),
  ],
  [
    'update',
    entity(
      [],
      'state_topic value_template latest_version_topic latest_version_template command_topic payload_install ' +
        'device_class title release_summary release_url retain',
    ),
  ],
  [
    'device_automation',
    {
      required: ['automation_type', 'topic', 'type', 'subtype'],
      keys: new Set(
        'platform automation_type topic type subtype payload value_template qos message_expiry_interval'.split(' '),
      ),
      entity: false,
    },
  ],
])

/** Keys the JSON light had once; they refuse it now (spec C15). */
export const REMOVED_LIGHT_KEYS = ['color_mode', 'color_temp', 'hs', 'rgb', 'xy']

export const LIGHT_COLOR_MODES: ReadonlySet<unknown> = new Set(
  'onoff brightness color_temp hs xy rgb rgbw rgbww white'.split(' '),
)

/** Platforms whose command would be executed again by everybody who subscribes later, were it retained (C20). */
export const COMMANDED_PLATFORMS: ReadonlySet<string> = new Set(
  'button notify number light switch select text update'.split(' '),
)
