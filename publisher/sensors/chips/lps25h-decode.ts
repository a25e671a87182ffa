/** Pressure, hPa, of PRESS_OUT, three bytes, low one first: 4096 counts per hPa (LPS25H data sheet, DocID023722). */
export function decodePressure(out: Buffer): number {
  return out.readIntLE(0, 3) / 4096
}

/** Temperature, °C, of TEMP_OUT, two bytes, low one first: 480 counts per °C about 42.5 °C. */
export function decodePressureTemperature(out: Buffer): number {
  return 42.5 + out.readInt16LE(0) / 480
}
