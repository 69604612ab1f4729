/** The twin of spin_tf/data/picture.py: a part of an image, of which only those pixels are made that someone looks at. */
import { type Box, counted, type Ground, lookUnder, over, type Rows, takeRows } from "./pixels";

/** Degrees counter-clockwise by which a picture is seen turned. */
export type Turn = 0 | 90 | -90 | 180;

/** Parts of no more are taken as a whole: several looks at their rows cost more than all of their pixels. */
const FEW_PIXELS = 1 << 18;

/** What all parts of one picture share: what its transparency lies over, once that was looked for. */
interface Source {
  readonly image: ImageBitmap | ImageData;
  readonly box: Box;
  ground?: Ground;
}

export class Picture {
  readonly width: number;
  readonly height: number;
  /** The rows that were taken last. */
  private taken: Rows | undefined;

  /** @param box where it lies in the image. */
  private constructor(
    private readonly source: Source,
    readonly box: Box,
  ) {
    this.width = box.width;
    this.height = box.height;
  }

  /** @param box the part of an image that is the picture: what is transparent in it lies over one ground. */
  static of(image: ImageBitmap | ImageData, box: Box): Picture {
    return new Picture({ image, box }, box);
  }

  /** A part of the picture; no pixel is touched. */
  cut({ x, y, width, height }: Box): Picture {
    const part = new Picture(this.source, { x: this.box.x + x, y: this.box.y + y, width, height });
    const { taken } = this;
    if (taken !== undefined) {
      const start = (row: number): number | undefined => {
        const whole = taken.start(row + y);
        return whole === undefined ? undefined : whole + x;
      };
      part.taken = { data: taken.data, start };
    }
    return part;
  }

  /**
   * The pixels at these rows and columns of the turned picture, over their ground.
   *
   * @returns uint8 (rows * columns * 3): red, green, blue.
   */
  take(rows: Int32Array, columns: Int32Array, turn: Turn = 0): Uint8Array {
    const { width, height } = this;
    const [byRow, byColumn] = [3 * columns.length, 3];
    const reversed = (places: Int32Array, size: number): Int32Array => places.map((place) => size - 1 - place);
    // numpy.rot90: [row, column] of the turned picture is [column, width - 1 - row] of the source, or the reverse.
    switch (turn) {
      case 0:
        return this.collect(rows, columns, byRow, byColumn);
      case 90:
        return this.collect(columns, reversed(rows, width), byColumn, byRow);
      case -90:
        return this.collect(reversed(columns, height), rows, byColumn, byRow);
      case 180:
        return this.collect(reversed(rows, height), reversed(columns, width), byRow, byColumn);
    }
  }

  /** @param down how far the pixels of two rows are apart in the result; across: those of two columns. */
  private collect(rows: Int32Array, columns: Int32Array, down: number, across: number): Uint8Array {
    const { data, start } = this.hold(rows);
    const result = new Uint8Array(3 * rows.length * columns.length);
    const distance = columns.map((column) => 4 * column);
    for (let i = 0; i < rows.length; i++) {
      const first = 4 * start(rows[i]!)!;
      let to = i * down;
      for (let j = 0; j < distance.length; j++, to += across) {
        const from = first + distance[j]!;
        const alpha = data[from + 3]!;
        if (alpha === 255) {
          result[to] = data[from]!;
          result[to + 1] = data[from + 1]!;
          result[to + 2] = data[from + 2]!;
        } else {
          const ground = this.ground();
          for (let c = 0; c < 3; c++) {
            result[to + c] = over(data[from + c]!, alpha, ground);
          }
        }
      }
    }
    return result;
  }

  private hold(rows: Int32Array): Rows {
    let { taken } = this;
    if (taken === undefined || rows.some((row) => taken!.start(row) === undefined)) {
      const few = this.width * this.height <= FEW_PIXELS;
      const needed = few ? counted(this.height) : Int32Array.from(new Set(rows)).sort();
      taken = takeRows(this.source.image, this.box, needed);
      this.taken = taken;
    }
    return taken;
  }

  private ground(): Ground {
    this.source.ground ??= lookUnder(this.source.image, this.source.box);
    return this.source.ground;
  }
}
