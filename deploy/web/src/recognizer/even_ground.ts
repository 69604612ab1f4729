/** The twin of spin_tf/contract/ground.py: even ground around a word, which is cut off before the word is read. */
import {
  CUT_HEIGHT,
  CUT_WIDTH,
  GROUND_COLUMNS,
  GROUND_DIVISOR,
  GROUND_MAX_DEVIATION,
  GROUND_MIN_DEVIATION,
  GROUND_MIN_SIDE,
  GROUND_ROWS,
  MARGIN_DIVISOR,
} from "./contract";
import type { Picture } from "./picture";
import type { Box } from "./pixels";

const CHANNELS = [0, 1, 2] as const;

/** The lines of a sample, counted from one of its sides: where the first begins, and the ways on, in bytes. */
interface Side {
  readonly first: number;
  readonly nextLine: number;
  readonly numLines: number;
  readonly nextPixel: number;
  readonly numPixels: number;
}

/** The lowest and the highest value of each channel of a sample. */
interface Extremes {
  readonly lowest: Uint8Array;
  readonly highest: Uint8Array;
}

/** The part of a picture within its even ground, or the picture where there is not much of that. */
export function cutGround(picture: Picture): Picture {
  const box = groundBox(picture);
  return box === undefined ? picture : picture.cut(box);
}

/** Where something stands in a picture, with a margin; undefined where that is not much smaller than the picture. */
function groundBox(picture: Picture): Box | undefined {
  const { width, height } = picture;
  if (Math.min(width, height) < GROUND_MIN_SIDE) {
    return undefined;
  }
  const rows = spread(height, GROUND_ROWS);
  const columns = spread(width, GROUND_COLUMNS);
  const cuts = cutLines(picture.take(rows, columns), rows.length, columns.length);
  if (cuts === undefined) {
    return undefined;
  }
  const [above, below, before, behind] = cuts;
  const top = Math.floor((above * height) / rows.length);
  const bottom = height - Math.floor((below * height) / rows.length);
  const left = Math.floor((before * width) / columns.length);
  const right = width - Math.floor((behind * width) / columns.length);
  if (bottom <= top || right <= left) {
    return undefined;
  }
  const margin = Math.min(Math.floor((bottom - top) / MARGIN_DIVISOR), right - left);
  const [x, y] = [Math.max(left - margin, 0), Math.max(top - margin, 0)];
  const box = { x, y, width: Math.min(right + margin, width) - x, height: Math.min(bottom + margin, height) - y };
  const isNarrower = CUT_WIDTH[1] * box.width < CUT_WIDTH[0] * width;
  const isLower = CUT_HEIGHT[1] * box.height < CUT_HEIGHT[0] * height;
  return isNarrower || isLower ? box : undefined;
}

/** As many places along an axis as there are pixels, up to a limit. */
function spread(size: number, limit: number): Int32Array {
  const number = Math.min(size, limit);
  return Int32Array.from({ length: number }, (_, i) => Math.floor((i * size) / number));
}

/** How many lines of a sample are ground at its top, bottom, left and right; undefined where all of it is. */
function cutLines(
  sample: Uint8Array,
  numRows: number,
  numColumns: number,
): [top: number, bottom: number, left: number, right: number] | undefined {
  const [row, column] = [3 * numColumns, 3];
  const top = { first: 0, nextLine: row, numLines: numRows, nextPixel: column, numPixels: numColumns };
  const left = { first: 0, nextLine: column, numLines: numColumns, nextPixel: row, numPixels: numRows };
  let extremes: Extremes | undefined;
  const cuts: number[] = [];
  for (const side of [top, opposite(top), left, opposite(left)]) {
    const middle = middleOf(sample, side);
    if (!isEven(sample, side, 0, middle, GROUND_MAX_DEVIATION)) {
      cuts.push(0);
      continue;
    }
    extremes ??= extremesOf(sample);
    const { lowest, highest } = extremes;
    const largest = Math.max(...CHANNELS.map((c) => Math.max(middle[c]! - lowest[c]!, highest[c]! - middle[c]!)));
    const allowed = Math.min(
      Math.max(Math.floor(largest / GROUND_DIVISOR), GROUND_MIN_DEVIATION),
      GROUND_MAX_DEVIATION,
    );
    let cut = 0;
    while (cut < side.numLines && isEven(sample, side, cut, middle, allowed)) {
      cut++;
    }
    if (cut === side.numLines) {
      return undefined;
    }
    cuts.push(cut);
  }
  return cuts as [number, number, number, number];
}

function opposite(side: Side): Side {
  return { ...side, first: side.first + (side.numLines - 1) * side.nextLine, nextLine: -side.nextLine };
}

/** The middle value of each channel of the outermost line. */
function middleOf(sample: Uint8Array, { first, nextPixel, numPixels }: Side): number[] {
  const values = new Uint8Array(numPixels);
  return CHANNELS.map((c) => {
    for (let i = 0; i < numPixels; i++) {
      values[i] = sample[first + i * nextPixel + c]!;
    }
    return values.sort()[numPixels >> 1]!;
  });
}

/** Whether no pixel of a line deviates from a colour by more than is allowed. */
function isEven(sample: Uint8Array, side: Side, line: number, colour: readonly number[], allowed: number): boolean {
  const [red, green, blue] = [colour[0]!, colour[1]!, colour[2]!];
  let at = side.first + line * side.nextLine;
  for (let i = 0; i < side.numPixels; i++, at += side.nextPixel) {
    if (
      Math.abs(sample[at]! - red) > allowed ||
      Math.abs(sample[at + 1]! - green) > allowed ||
      Math.abs(sample[at + 2]! - blue) > allowed
    ) {
      return false;
    }
  }
  return true;
}

function extremesOf(sample: Uint8Array): Extremes {
  const [lowest, highest] = [Uint8Array.of(255, 255, 255), Uint8Array.of(0, 0, 0)];
  for (let at = 0; at < sample.length; at += 3) {
    for (let c = 0; c < 3; c++) {
      const value = sample[at + c]!;
      if (value < lowest[c]!) {
        lowest[c] = value;
      }
      if (value > highest[c]!) {
        highest[c] = value;
      }
    }
  }
  return { lowest, highest };
}
