import { SENSOR_CLASSES } from './sensor-classes.ts'

/** Of 2025.10 and later (spec 1.15 and Home Assistant's documentation of the platform). */
const BINARY_SENSOR =
  'battery battery_charging carbon_monoxide cold connectivity door garage_door gas heat light lock moisture motion ' +
  'moving occupancy opening plug power presence problem running safety smoke sound tamper update vibration window'

/** The device classes of each platform that has any (spec 1.13, 1.15). */
export const DEVICE_CLASSES: ReadonlyMap<string, ReadonlySet<unknown>> = new Map([
  ['sensor', new Set<unknown>(SENSOR_CLASSES.keys())],
  ['binary_sensor', new Set<unknown>(BINARY_SENSOR.split(' '))],
  ['button', new Set<unknown>(['identify', 'restart', 'update'])],
  // A number's class is a sensor's that has a number; its unit is not checked against it.
  ['number', new Set<unknown>([...SENSOR_CLASSES].filter(([, { numeric }]) => numeric).map(([name]) => name))],
  ['switch', new Set<unknown>(['outlet', 'switch'])],
  ['event', new Set<unknown>(['button', 'doorbell', 'motion'])],
])
