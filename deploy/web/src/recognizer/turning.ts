/** The twin of spin_tf/reading/turning.py: what a model is to read of tall crops, and which reading counts. */
import { type Box, groundOf, takeRows } from "./pixels";
import { preprocess, type Taps, taps } from "./preprocess";
import type { Word } from "./word";

/** From this height by width on, a crop may hold a word that runs up or down. */
const TALL = 1.5;

/** One input of the model, and by how many degrees counter-clockwise the crop was turned for it. */
export interface View {
  readonly degrees: number;
  readonly input: Float32Array<ArrayBuffer>;
}

/** What the model is to read of one crop: as it is, and turned by a quarter either way where it is tall. */
export function turnedViews(
  image: ImageBitmap | ImageData,
  box: Box,
  [height, width]: readonly [number, number],
  turnTall: boolean,
): View[] {
  const turns = turnTall && box.height >= TALL * box.width ? [0, 90, -90] : [0];
  const upright = { rows: taps(box.height, height), columns: taps(box.width, width) };
  const turned = { rows: taps(box.width, height), columns: taps(box.height, width) };
  const needed = new Set<number>();
  for (const degrees of turns) {
    for (const row of sourceRows(degrees, box.height, upright.rows, turned.columns)) {
      needed.add(row);
    }
  }
  const rows = takeRows(
    image,
    box,
    [...needed].sort((a, b) => a - b),
  );
  const ground = groundOf(image, box, rows);
  return turns.map((degrees) => {
    const axes = degrees === 0 ? upright : turned;
    return { degrees, input: preprocess(rows, ground, degrees, axes.rows, axes.columns) };
  });
}

/** Which rows of the picture a view looks at. */
function sourceRows(degrees: number, height: number, rows: Taps, turnedColumns: Taps): number[] {
  const along = degrees === 0 ? rows : turnedColumns;
  const touched = [...along.lower, ...along.upper];
  return degrees === -90 ? touched.map((row) => height - 1 - row) : touched;
}

/** The crop as it is, or a reading of the turned one that is surer; one letter alone does not run anywhere. */
export function surest(words: readonly Word[]): Word {
  return words
    .filter((word) => word.turned === 0 || word.characters.length > 1)
    .reduce((best, word) => (word.confidence > best.confidence ? word : best));
}
