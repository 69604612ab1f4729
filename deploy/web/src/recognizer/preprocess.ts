/** The twin of spin_tf/contract/preprocessing.py: from a picture to the input of a model, float32 for float32. */
import { greys, greysOrColours } from "./colours";
import { FIRST_PREPROCESSING, WIDE_ASPECT } from "./contract";
import { cutGround } from "./even_ground";
import type { ModelMetadata } from "./metadata";
import type { Picture, Turn } from "./picture";
import type { Size } from "./pixels";

// numpy computes in float32; JavaScript's numbers are float64 until they are rounded.
const f32 = Math.fround;

/** How the pictures of a model are prepared. */
export interface Preprocessing {
  /** 1 knows one size and grey values, 2 all that is here. */
  readonly number: number;
  readonly size: Size;
  /** That of wide views, where the model has one for them. */
  readonly wideSize: Size | undefined;
}

/** One input of a model, and whether it is of the size of wide views. */
export interface Input {
  readonly values: Float32Array<ArrayBuffer>;
  readonly isWide: boolean;
}

/** What the metadata of a model say. */
export function preprocessingOf(metadata: ModelMetadata): Preprocessing {
  const number = metadata.preprocessing ?? FIRST_PREPROCESSING;
  const wideSize = number >= 2 ? (metadata.wide_image_size ?? undefined) : undefined;
  return { number, size: metadata.image_size, wideSize };
}

/** The picture without its even ground. */
export function cut(picture: Picture, { number }: Preprocessing): Picture {
  return number >= 2 ? cutGround(picture) : picture;
}

/** Turns a picture, cut and seen turned, into the input of a model. */
export function preprocess(picture: Picture, turn: Turn, { number, size, wideSize }: Preprocessing): Input {
  const [width, height] =
    turn === 90 || turn === -90 ? [picture.height, picture.width] : [picture.width, picture.height];
  const isWide = wideSize !== undefined && width > WIDE_ASPECT * height;
  const [numRows, numColumns] = isWide ? wideSize : size;
  const [rows, columns] = [tapsOf(height, numRows), tapsOf(width, numColumns)];
  const pixels = picture.take(rows.indices, columns.indices, turn);
  return { values: resize(number >= 2 ? greysOrColours(pixels) : greys(pixels), rows, columns), isWide };
}

/** float32 (height * width) in [-1, 1] of the values 0..255 at all taps. */
function resize(values: Uint8Array, rows: Taps, columns: Taps): Float32Array<ArrayBuffer> {
  const [numRows, numColumns] = [rows.weights.length, columns.weights.length];
  const line = (row: number, column: number): number => {
    const at = 2 * numColumns * row + column;
    const left = values[at]!;
    return f32(left + f32((values[at + numColumns]! - left) * columns.weights[column]!));
  };
  const result = new Float32Array(numRows * numColumns);
  for (let i = 0; i < numRows; i++) {
    for (let j = 0; j < numColumns; j++) {
      const top = line(i, j);
      const value = f32(top + f32(f32(line(numRows + i, j) - top) * rows.weights[i]!));
      result[i * numColumns + j] = f32(value - 127.5) / 127.5;
    }
  }
  return result;
}

/** How one axis is resized: the source indices below each target pixel, then those above, and the weights of these. */
interface Taps {
  readonly indices: Int32Array;
  readonly weights: Float32Array;
}

/** Bilinear with half-pixel centres and without antialiasing, along one axis. */
function tapsOf(size: number, target: number): Taps {
  const indices = new Int32Array(2 * target);
  const weights = new Float32Array(target);
  const scale = f32(f32(size) / target);
  // Beyond 2 ** 24 pixels float32 rounds past the edge.
  const inside = (place: number): number => Math.min(Math.max(place, 0), size - 1);
  for (let i = 0; i < target; i++) {
    const centre = f32(f32((i + 0.5) * scale) - 0.5);
    const floor = Math.floor(centre);
    indices[i] = inside(floor);
    indices[target + i] = inside(Math.ceil(centre));
    weights[i] = centre - floor;
  }
  return { indices, weights };
}
