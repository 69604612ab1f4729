/** Bilinear resizing as Pillow does it, to the bit: over all pixels that a result covers, in whole numbers. */
import { Picture } from "./picture";
import { counted, type Size } from "./pixels";

const BITS = 22;
const HALF = 1 << (BITS - 1);
/** Pixels that are taken from a picture at a time: a large photograph is never there as a whole. */
const STRIP_PIXELS = 1 << 20;

/** How one axis is resized: where the pixels of each result begin, and their weights in units of 2 ** -22. */
interface Weights {
  readonly first: Int32Array;
  readonly weights: readonly Int32Array[];
}

function weightsOf(size: number, target: number): Weights {
  const scale = size / target;
  const stretch = Math.max(scale, 1);
  const first = new Int32Array(target);
  const weights: Int32Array[] = [];
  for (let i = 0; i < target; i++) {
    const centre = (i + 0.5) * scale;
    const begin = Math.max(Math.trunc(centre - stretch + 0.5), 0);
    const end = Math.min(Math.trunc(centre + stretch + 0.5), size);
    const shares = Array.from({ length: end - begin }, (_, k) =>
      Math.max(1 - Math.abs((k + begin - centre + 0.5) * (1 / stretch)), 0),
    );
    const sum = shares.reduce((total, share) => total + share, 0);
    first[i] = begin;
    weights.push(Int32Array.from(shares, (share) => Math.trunc(0.5 + (share / sum) * 2 ** BITS)));
  }
  return { first, weights };
}

/**
 * Resizes a picture into the top left corner of a detector's input.
 *
 * @param size height and width of the input.
 * @returns float32 (size[0] * size[1] * 3), red, green, blue, 0..255; the rest is black.
 */
export function letterbox(
  image: ImageBitmap | ImageData,
  rows: number,
  columns: number,
  size: Size,
): Float32Array<ArrayBuffer> {
  const { width, height } = image;
  const narrow = acrossAll(image, weightsOf(width, columns), columns);
  const vertical = weightsOf(height, rows);
  const result = new Float32Array(size[0] * size[1] * 3);
  const line = 3 * columns;
  const sums = new Int32Array(line);
  for (let row = 0; row < rows; row++) {
    const begin = vertical.first[row]!;
    sums.fill(HALF);
    vertical.weights[row]!.forEach((weight, k) => {
      const from = (begin + k) * line;
      for (let i = 0; i < line; i++) {
        sums[i]! += narrow[from + i]! * weight;
      }
    });
    for (let i = 0; i < line; i++) {
      result[row * size[1] * 3 + i] = toByte(sums[i]!);
    }
  }
  return result;
}

/** All rows of a picture, resized across: uint8 (height * columns * 3). */
function acrossAll(image: ImageBitmap | ImageData, { first, weights }: Weights, columns: number): Uint8Array {
  const { width, height } = image;
  const picture = Picture.of(image, { x: 0, y: 0, width, height });
  const everyColumn = counted(width);
  const result = new Uint8Array(height * columns * 3);
  const step = Math.max(1, Math.floor(STRIP_PIXELS / width));
  for (let top = 0; top < height; top += step) {
    const count = Math.min(step, height - top);
    const strip = picture.take(counted(count, top), everyColumn);
    for (let row = top; row < top + count; row++) {
      const line = strip.subarray(3 * width * (row - top), 3 * width * (row - top + 1));
      for (let column = 0, to = row * columns * 3; column < columns; column++, to += 3) {
        const shares = weights[column]!;
        let from = 3 * first[column]!;
        let [red, green, blue] = [HALF, HALF, HALF];
        for (let k = 0; k < shares.length; k++, from += 3) {
          const share = shares[k]!;
          red += line[from]! * share;
          green += line[from + 1]! * share;
          blue += line[from + 2]! * share;
        }
        result[to] = toByte(red);
        result[to + 1] = toByte(green);
        result[to + 2] = toByte(blue);
      }
    }
  }
  return result;
}

function toByte(sum: number): number {
  return Math.min(sum >> BITS, 255);
}
