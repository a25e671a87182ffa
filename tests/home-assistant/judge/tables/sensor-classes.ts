/**
 * Device classes of sensors, their units and the state classes they may have: Home Assistant 2026.9.4 (specification
 * 1.15, read in its generated tables). State classes the specification leaves open are those of Home Assistant's source
 * of 2025.
 */
export interface SensorClass {
  /** `any`: free text. Empty: must have none. `undefined` among them: may have none. */
  readonly units: 'any' | ReadonlySet<string | undefined>
  readonly stateClasses: ReadonlySet<string>
  /** False for times, dates and choices. */
  readonly numeric: boolean
}

/** Spec 1.15. */
export const STATE_CLASSES: ReadonlySet<unknown> = new Set([
  'measurement',
  'measurement_angle',
  'total',
  'total_increasing',
])

const PRESSURE = 'mPa Pa hPa kPa bar cbar mbar mmHg inHg inH₂O psi'
const ENERGY = 'J kJ MJ GJ mWh Wh kWh MWh GWh TWh cal kcal Mcal Gcal'
const VOLUME = 'mL L m³ ft³ CCF MCF gal fl._oz.'
const DEGREES = '°C °F K'

/** Units as words; `_` is a space within one, `-` stands for none. */
const UNITS: Readonly<Record<string, string>> = {
  absolute_humidity: 'g/m³ mg/m³',
  apparent_power: 'mVA VA kVA',
  aqi: '-',
  area: 'mm² cm² m² km² in² ft² yd² mi² ac ha',
  atmospheric_pressure: PRESSURE,
  battery: '%',
  blood_glucose_concentration: 'mg/dL mmol/L',
  carbon_dioxide: 'ppm',
  carbon_monoxide: 'ppb ppm mg/m³ μg/m³',
  conductivity: 'S/cm mS/cm μS/cm',
  current: 'A mA μA',
  data_rate: 'bit/s kbit/s Mbit/s Gbit/s B/s kB/s MB/s GB/s KiB/s MiB/s GiB/s',
  data_size: 'bit kbit Mbit Gbit B kB MB GB TB PB EB ZB YB KiB MiB GiB TiB PiB EiB ZiB YiB',
  distance: 'mm cm m km in ft yd mi nmi',
  duration: 'μs ms s min h d',
  energy: ENERGY,
  energy_distance: 'kWh/100km Wh/km km/kWh mi/kWh',
  energy_storage: ENERGY,
  frequency: 'mHz Hz kHz MHz GHz',
  gas: 'L m³ ft³ CCF MCF',
  humidity: '%',
  illuminance: 'lx',
  irradiance: 'W/m² BTU/(h⋅ft²)',
  moisture: '%',
  nitrogen_dioxide: 'ppb ppm μg/m³',
  nitrogen_monoxide: 'ppb μg/m³',
  nitrous_oxide: 'μg/m³',
  ozone: 'ppb ppm μg/m³',
  ph: '-',
  pm1: 'μg/m³',
  pm10: 'μg/m³',
  pm25: 'μg/m³',
  pm4: 'μg/m³',
  power: 'mW W kW MW GW TW',
  power_factor: '% -',
  precipitation: 'mm cm in',
  precipitation_intensity: 'mm/h mm/d in/h in/d',
  pressure: PRESSURE,
  radon: 'Bq/m³ pCi/L',
  reactive_energy: 'varh kvarh',
  reactive_power: 'mvar var kvar',
  signal_strength: 'dB dBm',
  sound_pressure: 'dB dBA',
  speed: 'mm/s m/s m/min km/h mm/h mm/d in/s in/h in/d ft/s mph kn Beaufort',
  sulphur_dioxide: 'ppb μg/m³',
  temperature: DEGREES,
  temperature_delta: DEGREES,
  volatile_organic_compounds: 'mg/m³ μg/m³',
  volatile_organic_compounds_parts: 'ppb ppm',
  voltage: 'μV mV V kV MV',
  volume: VOLUME,
  volume_flow_rate: 'mL/s L/s L/min L/h m³/s m³/min m³/h ft³/min gal/min gal/h gal/d',
  volume_storage: VOLUME,
  water: 'L m³ ft³ CCF MCF gal',
  weight: 'μg mg g kg oz lb st',
  wind_direction: '°',
  wind_speed: 'mm/s m/s m/min km/h in/s ft/s mph kn Beaufort',
}

const ANY_STATE_CLASS = 'measurement measurement_angle total total_increasing'
const TOTALS = 'total total_increasing'

/** Classes whose only state class is not `measurement`. */
const OTHER_STATE_CLASSES: Readonly<Record<string, string>> = {
  area: ANY_STATE_CLASS,
  data_size: ANY_STATE_CLASS,
  distance: ANY_STATE_CLASS,
  duration: ANY_STATE_CLASS,
  energy: TOTALS,
  gas: TOTALS,
  precipitation: ANY_STATE_CLASS,
  reactive_energy: TOTALS,
  volume: TOTALS,
  water: TOTALS,
  weight: 'measurement total total_increasing',
  wind_direction: 'measurement_angle',
}

const NOT_NUMERIC = ['date', 'enum', 'timestamp', 'uptime']

export const SENSOR_CLASSES: ReadonlyMap<string, SensorClass> = new Map<string, SensorClass>([
  ...Object.entries(UNITS).map(([name, units]): [string, SensorClass] => [
    name,
    {
      units: new Set(units.split(' ').map((unit) => (unit === '-' ? undefined : unit.replaceAll('_', ' ')))),
      stateClasses: new Set((OTHER_STATE_CLASSES[name] ?? 'measurement').split(' ')),
      numeric: true,
    },
  ]),
  // A currency's code.
  ['monetary', { units: 'any', stateClasses: new Set(['total']), numeric: true }],
  ...NOT_NUMERIC.map((name): [string, SensorClass] => [
    name,
    { units: new Set(), stateClasses: new Set(), numeric: false },
  ]),
])

/** Units in which Home Assistant itself replaces the micro sign (U+00B5) by the Greek mu (spec 1.15). */
export const REWRITTEN_UNITS: ReadonlySet<string> = new Set(
  Object.values(UNITS)
    .flatMap((units) => units.split(' '))
    .filter((unit) => unit.includes('\u03bc')),
)
