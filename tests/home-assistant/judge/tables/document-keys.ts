/** Copied into every component that does not set the key itself (spec 1.3; read in Home Assistant's source). */
export const SHARED_OPTIONS = [
  'availability',
  'availability_mode',
  'availability_topic',
  'availability_template',
  'payload_available',
  'payload_not_available',
  'state_topic',
  'command_topic',
  'qos',
  'encoding',
  'message_expiry_interval',
] as const

/** Any other key at the root refuses the document (spec 1.3). */
export const ROOT_KEYS: readonly string[] = ['device', 'origin', 'components', ...SHARED_OPTIONS]

/** Root keys that only Home Assistant of 2026 knows: older ones, down to the floor of 2025.10, refuse the document. */
export const TOO_NEW_ROOT_KEYS: readonly string[] = ['message_expiry_interval']

/** Spec 1.4. */
export const DEVICE_KEYS: readonly string[] = [
  'identifiers',
  'connections',
  'name',
  'manufacturer',
  'model',
  'model_id',
  'hw_version',
  'sw_version',
  'serial_number',
  'suggested_area',
  'configuration_url',
  'via_device',
]

/** Spec 1.5. */
export const ORIGIN_KEYS: readonly string[] = ['name', 'sw_version', 'support_url']

/** Of one entry of `availability` (spec 1.10). */
export const AVAILABILITY_KEYS: readonly string[] = [
  'topic',
  'payload_available',
  'payload_not_available',
  'value_template',
]

export const AVAILABILITY_MODES: readonly unknown[] = ['all', 'any', 'latest']
