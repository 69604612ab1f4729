/** The twin of spin_tf/data/conversion/cropping.py: words cut out of a photograph, straightened by perspective. */
import { Picture } from "./picture";
import type { Quadrilateral } from "./text_map";

/** What is larger than this is thinned out first: models read crops of 32 x 100 or so. */
const MAX_SIDE = 512;
/** What a crop gets around the detector's outline, as a share of its shorter side. */
const MARGIN = 0.1;

type Corner = readonly [number, number];

/** Moves every side of a rectangle outwards by a share of the shorter one. */
export function widen(corners: Quadrilateral, margin: number = MARGIN): Quadrilateral {
  const points = toPoints(corners);
  const length = (i: number, j: number): number => distance(points[i]!, points[j]!);
  const reach = margin * Math.min((length(0, 3) + length(1, 2)) / 2, (length(0, 1) + length(3, 2)) / 2);
  const moved = points.map(([x, y]) => [x, y] as [number, number]);
  for (const [i, j] of [
    [0, 1],
    [3, 2],
    [0, 3],
    [1, 2],
  ] as const) {
    const share = reach / Math.max(length(i, j), 1e-6);
    for (const axis of [0, 1] as const) {
      const step = share * (points[j]![axis] - points[i]![axis]);
      moved[i]![axis] -= step;
      moved[j]![axis] += step;
    }
  }
  return moved.flat() as unknown as Quadrilateral;
}

/**
 * Cuts a quadrilateral out of a picture; what lies outside repeats its border.
 *
 * @returns a crop as large as the longer sides of the quadrilateral, but not more than 512 pixels or so; undefined where
 *   there is nothing to cut.
 */
export function cutOut(image: ImageBitmap | ImageData, quadrilateral: Quadrilateral): ImageData | undefined {
  const corners = toPoints(quadrilateral);
  const [xs, ys] = [corners.map(([x]) => x), corners.map(([, y]) => y)];
  const [left, right, top, bottom] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  if (right <= 0 || bottom <= 0 || left >= image.width || top >= image.height) {
    return undefined;
  }
  const step = Math.max(Math.floor(Math.max(right - left, bottom - top) / MAX_SIDE), 1);
  const points = corners.map(([x, y]): Corner => [(x + 0.5) / step - 0.5, (y + 0.5) / step - 0.5]);
  const width = Math.max(roundEven(Math.max(distance(points[0]!, points[1]!), distance(points[2]!, points[3]!))), 1);
  const height = Math.max(roundEven(Math.max(distance(points[1]!, points[2]!), distance(points[3]!, points[0]!))), 1);
  const a = perspective(width, height, points);
  if (a === undefined) {
    return undefined;
  }
  const source = thinned(image, points, step);
  const result = new ImageData(width, height);
  for (let row = 0; row < height; row++) {
    for (let column = 0; column < width; column++) {
      const [u, v] = [column + 0.5, row + 0.5];
      const depth = a[6]! * u + a[7]! * v + 1;
      const x = (a[0]! * u + a[1]! * v + a[2]!) / depth - 0.5;
      const y = (a[3]! * u + a[4]! * v + a[5]!) / depth - 0.5;
      interpolate(source, x, y, result.data, 4 * (row * width + column));
    }
  }
  return result;
}

/** Every so many pixels of the surroundings of a word, with two pixels more for the kernel; red, green, blue. */
interface Surroundings {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array;
}

function thinned(image: ImageBitmap | ImageData, points: readonly Corner[], step: number): Surroundings {
  const offset = Math.floor(step / 2);
  const count = (length: number): number => Math.max(Math.ceil((length - offset) / step), 1);
  const span = (axis: 0 | 1, limit: number): [number, number] => {
    const values = points.map((point) => point[axis]);
    const low = Math.min(Math.max(Math.floor(Math.min(...values)) - 2, 0), limit - 1);
    return [low, Math.max(Math.min(Math.ceil(Math.max(...values)) + 3, limit), low + 1)];
  };
  const [left, right] = span(0, count(image.width));
  const [top, bottom] = span(1, count(image.height));
  const places = (first: number, end: number, limit: number): Int32Array =>
    Int32Array.from({ length: end - first }, (_, i) => Math.min((first + i) * step + offset, limit - 1));
  const [rows, columns] = [places(top, bottom, image.height), places(left, right, image.width)];
  // Only what is around the word is drawn.
  const [x, y] = [columns[0]!, rows[0]!];
  const size = { width: columns.at(-1)! - x + 1, height: rows.at(-1)! - y + 1 };
  const around = Picture.of(image, { x: 0, y: 0, width: image.width, height: image.height }).cut({ x, y, ...size });
  const data = around.take(
    rows.map((row) => row - y),
    columns.map((column) => column - x),
  );
  return { left, top, width: columns.length, height: rows.length, data };
}

/** Pillow's bicubic kernel, and its way to whole numbers. */
function interpolate(source: Surroundings, x: number, y: number, result: Uint8ClampedArray, at: number): void {
  const [column, row] = [Math.floor(x), Math.floor(y)];
  const [dx, dy] = [x - column, y - row];
  const clamp = (value: number, limit: number): number => Math.min(Math.max(value, 0), limit - 1);
  const columns = [-1, 0, 1, 2].map((i) => clamp(column + i - source.left, source.width));
  const rows = [-1, 0, 1, 2].map((i) => clamp(row + i - source.top, source.height));
  for (let c = 0; c < 3; c++) {
    const lines = rows.map((r) => {
      const [one, two, three, four] = columns.map((k) => source.data[3 * (r * source.width + k) + c]!);
      return cubic(one!, two!, three!, four!, dx);
    });
    const value = cubic(lines[0]!, lines[1]!, lines[2]!, lines[3]!, dy);
    result[at + c] = Math.min(Math.max(Math.trunc(value), 0), 255);
  }
  result[at + 3] = 255;
}

function cubic(one: number, two: number, three: number, four: number, share: number): number {
  const second = 2 * (one - two) + three - four;
  return two + share * (-one + three + share * (second + share * (-one + two - three + four)));
}

/** The 8 coefficients that lead from each point of an upright rectangle to its source; Gauss with pivots. */
function perspective(width: number, height: number, source: readonly Corner[]): number[] | undefined {
  const target: Corner[] = [
    [0, 0],
    [width, 0],
    [width, height],
    [0, height],
  ];
  const rows = target.flatMap(([u, v], i) => {
    const [x, y] = source[i]!;
    return [
      [u, v, 1, 0, 0, 0, -u * x, -v * x, x],
      [0, 0, 0, u, v, 1, -u * y, -v * y, y],
    ];
  });
  for (let column = 0; column < 8; column++) {
    let pivot = column;
    for (let row = column + 1; row < 8; row++) {
      if (Math.abs(rows[row]![column]!) > Math.abs(rows[pivot]![column]!)) {
        pivot = row;
      }
    }
    [rows[column], rows[pivot]] = [rows[pivot]!, rows[column]!];
    const lead = rows[column]!;
    if (Math.abs(lead[column]!) < 1e-12) {
      return undefined;
    }
    for (let row = 0; row < 8; row++) {
      const share = row === column ? 0 : rows[row]![column]! / lead[column]!;
      for (let k = column; k < 9; k++) {
        rows[row]![k]! -= share * lead[k]!;
      }
    }
  }
  return rows.map((row, i) => row[8]! / row[i]!);
}

function toPoints(corners: Quadrilateral): Corner[] {
  return [0, 2, 4, 6].map((i) => [corners[i]!, corners[i + 1]!]);
}

function distance([x0, y0]: Corner, [x1, y1]: Corner): number {
  return Math.hypot(x1 - x0, y1 - y0);
}

/** As Python rounds: a half goes to the even number. */
function roundEven(value: number): number {
  const low = Math.floor(value);
  const rest = value - low;
  return rest > 0.5 || (rest === 0.5 && low % 2 === 1) ? low + 1 : low;
}
