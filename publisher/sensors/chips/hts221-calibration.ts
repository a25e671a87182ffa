import { ChipFault } from './chip.ts'

/** Bytes of the factory's calibration, registers 0x30 to 0x3f. */
export const CALIBRATION_BYTES = 16

/** Two points of each of the HTS221's lines, written by the factory. */
export interface Hts221Calibration {
  /** %RH. */
  readonly h0: number
  readonly h1: number
  /** Counts. */
  readonly h0Out: number
  readonly h1Out: number
  /** °C. */
  readonly t0: number
  readonly t1: number
  /** Counts. */
  readonly t0Out: number
  readonly t1Out: number
}

/** The calibration registers as ST's data sheet lays them out (DocID026333, table 19). Throws a `ChipFault` on nonsense. */
export function decodeCalibration(block: Buffer): Hts221Calibration {
  const high = block.readUInt8(5)
  const calibration = {
    h0: block.readUInt8(0) / 2,
    h1: block.readUInt8(1) / 2,
    // Ten bits each, the upper two in one byte whose other half is reserved and not always zero.
    t0: (((high & 0x03) << 8) | block.readUInt8(2)) / 8,
    t1: (((high & 0x0c) << 6) | block.readUInt8(3)) / 8,
    h0Out: block.readInt16LE(6),
    h1Out: block.readInt16LE(10),
    t0Out: block.readInt16LE(12),
    t1Out: block.readInt16LE(14),
  }
  const { h0, h1, h0Out, h1Out, t0, t1, t0Out, t1Out } = calibration
  if (h0 === h1 || h0Out === h1Out || t0 >= t1 || t0Out === t1Out)
    throw new ChipFault('calibration', 'has a calibration that makes no sense')
  return calibration
}

/** Relative humidity, %, of a HUMIDITY_OUT count: the line through the two points. Beyond 0 to 100 as it falls out. */
export function decodeHumidity(calibration: Hts221Calibration, count: number): number {
  const { h0, h1, h0Out, h1Out } = calibration
  return h0 + ((h1 - h0) * (count - h0Out)) / (h1Out - h0Out)
}

/** Temperature, °C, of a TEMP_OUT count. */
export function decodeTemperature(calibration: Hts221Calibration, count: number): number {
  const { t0, t1, t0Out, t1Out } = calibration
  return t0 + ((t1 - t0) * (count - t0Out)) / (t1Out - t0Out)
}

/** Dry and saturated air read a little beyond; the data sheet asks for limits there. */
export function limitedHumidity(percent: number): number {
  return Math.max(0, Math.min(100, percent))
}
