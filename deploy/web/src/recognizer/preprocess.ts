/** The twin of spin_tf/data/preprocessing.py: the same numbers, float32 for float32. */
import { type Ground, greyOver, type Rows } from "./pixels";

// numpy computes in float32; JavaScript's numbers are float64 until they are rounded.
const f32 = Math.fround;

/** How one axis is resized: source indices below and above each target pixel, and the weights of the upper ones. */
export interface Taps {
  readonly lower: Int32Array;
  readonly upper: Int32Array;
  readonly weights: Float32Array;
}

/** Bilinear with half-pixel centres and without antialiasing, along one axis. */
export function taps(size: number, target: number): Taps {
  const lower = new Int32Array(target);
  const upper = new Int32Array(target);
  const weights = new Float32Array(target);
  const scale = f32(size / target);
  for (let i = 0; i < target; i++) {
    const centre = f32(f32((i + 0.5) * scale) - 0.5);
    const floor = Math.floor(centre);
    lower[i] = Math.max(floor, 0);
    upper[i] = Math.min(Math.ceil(centre), size - 1);
    weights[i] = centre - floor;
  }
  return { lower, upper, weights };
}

/**
 * Turns a picture, seen turned by `degrees` counter-clockwise, into the input of a model.
 *
 * @param source the rows that the taps look at, at least.
 * @param ground what transparency lies over.
 * @param rows taps along the height of the turned picture.
 * @param columns taps along its width.
 * @returns float32 (rows * columns) in [-1, 1].
 */
export function preprocess(
  source: Rows,
  ground: Ground,
  degrees: number,
  rows: Taps,
  columns: Taps,
): Float32Array<ArrayBuffer> {
  const { width, height, data } = source;
  // numpy.rot90: [row, column] of the turned picture is [column, width - 1 - row] of the source, or the reverse.
  const at = (row: number, column: number): number => {
    if (degrees === 90) {
      return greyOver(data, 4 * (source.start(column) + width - 1 - row), ground);
    }
    if (degrees === -90) {
      return greyOver(data, 4 * (source.start(height - 1 - column) + row), ground);
    }
    return greyOver(data, 4 * (source.start(row) + column), ground);
  };
  const numColumns = columns.lower.length;
  const result = new Float32Array(rows.lower.length * numColumns);
  const line = (row: number, column: number): number => {
    const left = at(row, columns.lower[column]!);
    return f32(left + f32((at(row, columns.upper[column]!) - left) * columns.weights[column]!));
  };
  for (let i = 0; i < rows.lower.length; i++) {
    for (let j = 0; j < numColumns; j++) {
      const top = line(rows.lower[i]!, j);
      const value = f32(top + f32(f32(line(rows.upper[i]!, j) - top) * rows.weights[i]!));
      result[i * numColumns + j] = f32(value - 127.5) / 127.5;
    }
  }
  return result;
}
