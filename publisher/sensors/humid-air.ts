/** Magnus formula with the coefficients of Alduchov and Eskridge (1996), good for −40 to 50 °C over water. */
const MAGNUS_A = 17.625
const MAGNUS_B_C = 243.04
const MAGNUS_C_HPA = 6.1094

/** Below this relative humidity (%) a dew point says nothing; the logarithm needs a floor. */
const DRIEST_PERCENT = 0.1

/** Saturation vapour pressure, hPa, over water at `temperature` °C. */
export function saturationVapourPressure(temperature: number): number {
  return MAGNUS_C_HPA * Math.exp((MAGNUS_A * temperature) / (MAGNUS_B_C + temperature))
}

/** Dew point, °C, from temperature, °C, and relative humidity, %. */
export function dewPoint(temperature: number, humidity: number): number {
  const gamma =
    Math.log(Math.max(humidity, DRIEST_PERCENT) / 100) + (MAGNUS_A * temperature) / (MAGNUS_B_C + temperature)
  return (MAGNUS_B_C * gamma) / (MAGNUS_A - gamma)
}

/** Relative humidity, %, of air with that dew point, °C, when it is at `temperature`, °C. */
export function relativeHumidity(temperature: number, dewPointC: number): number {
  return (100 * saturationVapourPressure(dewPointC)) / saturationVapourPressure(temperature)
}
