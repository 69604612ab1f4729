/** The twin of spin_tf/photo/text_map.py: from the map of a text detector to the rectangles of its words. */

/** x and y of four corners, clockwise from the top left. */
export type Quadrilateral = readonly [number, number, number, number, number, number, number, number];

/** A place where the detector sees a word, and how sure it is of it. */
export interface Place {
  readonly corners: Quadrilateral;
  readonly score: number;
}

export interface MapOptions {
  /** Above it, a pixel belongs to a word. */
  readonly threshold?: number;
  /** Rectangles whose mean probability is lower are left out. */
  readonly boxThreshold?: number;
  /** Each side moves outwards by this times area / circumference. */
  readonly unclip?: number;
  /** Rectangles with a shorter side are left out, and widened ones with one that is not two pixels longer. */
  readonly minSide?: number;
}

/** Pixels side by side in a row. */
interface Run {
  readonly row: number;
  readonly first: number;
  readonly last: number;
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** In whole numbers: low_u <= x dx + y dy <= high_u and low_v <= y dx - x dy <= high_v. */
interface Rectangle {
  readonly dx: number;
  readonly dy: number;
  readonly lowU: number;
  readonly highU: number;
  readonly lowV: number;
  readonly highV: number;
}

/**
 * Finds the rectangles of the words in a map; see the twin for what each step is.
 *
 * @param probabilities (height * stride) or more, of which the first `width` of each row count.
 * @returns in pixels of the map, from its top down by where the regions begin.
 */
export function findQuadrilaterals(
  probabilities: Float32Array,
  height: number,
  width: number,
  stride: number = width,
  { threshold = 0.3, boxThreshold = 0.5, unclip = 1.5, minSide = 3 }: MapOptions = {},
): Place[] {
  const places: Place[] = [];
  for (const runs of regions(findRuns(probabilities, height, width, stride, Math.fround(threshold)))) {
    const rectangle = smallestRectangle(...outline(runs));
    const [across, down] = sides(rectangle);
    if (Math.min(across, down) < minSide) {
      continue;
    }
    const score = meanWithin(probabilities, height, width, stride, rectangle);
    const margin = (unclip * across * down) / Math.max(2 * (across + down), 1e-9);
    if (score >= boxThreshold && Math.min(across, down) + 2 * margin >= minSide + 2) {
      places.push({ corners: cornersOf(rectangle, margin), score });
    }
  }
  return places;
}

/** The runs of the mask, widened by one to the right and down, row by row. */
function findRuns(map: Float32Array, height: number, width: number, stride: number, threshold: number): Run[] {
  const runs: Run[] = [];
  const isSet = (row: number, column: number): boolean =>
    row >= 0 && column >= 0 && map[row * stride + column]! > threshold;
  for (let row = 0; row < height; row++) {
    let first = -1;
    for (let column = 0; column <= width; column++) {
      const set =
        column < width &&
        (isSet(row, column) || isSet(row, column - 1) || isSet(row - 1, column) || isSet(row - 1, column - 1));
      if (set && first < 0) {
        first = column;
      } else if (!set && first >= 0) {
        runs.push({ row, first, last: column - 1 });
        first = -1;
      }
    }
  }
  return runs;
}

/** The runs of each region; runs that touch, at a corner at least, belong together. */
function regions(runs: readonly Run[]): Run[][] {
  const parent = new Int32Array(runs.length).map((_, i) => i);
  const root = (i: number): number => {
    while (parent[i] !== i) {
      parent[i] = parent[parent[i]!]!;
      i = parent[i]!;
    }
    return i;
  };
  let above = 0;
  for (let i = 0; i < runs.length; i++) {
    const { row, first, last } = runs[i]!;
    // Runs of the row above that end before this one begins touch none of its later ones either.
    while (
      above < i &&
      (runs[above]!.row < row - 1 || (runs[above]!.row === row - 1 && runs[above]!.last < first - 1))
    ) {
      above++;
    }
    for (let j = above; j < i && runs[j]!.row === row - 1 && runs[j]!.first <= last + 1; j++) {
      const [one, other] = [root(i), root(j)];
      parent[Math.max(one, other)] = Math.min(one, other);
    }
  }
  const found = new Map<number, Run[]>();
  for (let i = 0; i < runs.length; i++) {
    const key = root(i);
    const members = found.get(key);
    if (members) {
      members.push(runs[i]!);
    } else {
      found.set(key, [runs[i]!]);
    }
  }
  // The root is the first run of its region: by then, the map has it in this order.
  return [...found.values()];
}

/** The first and the last pixels of the rows of a region, as far as they are corners of its hull. */
function outline(runs: readonly Run[]): [Point[], Point[]] {
  const left: Point[] = [];
  const right: Point[] = [];
  for (let i = 0; i < runs.length; i++) {
    const { row, first } = runs[i]!;
    while (runs[i + 1]?.row === row) {
      i++;
    }
    addCorner(left, { x: first, y: row }, 1);
    addCorner(right, { x: runs[i]!.last, y: row }, -1);
  }
  return [left, right];
}

function addCorner(chain: Point[], point: Point, side: number): void {
  while (chain.length > 1) {
    const [a, b] = [chain.at(-2)!, chain.at(-1)!];
    if (side * ((b.x - a.x) * (point.y - a.y) - (point.x - a.x) * (b.y - a.y)) < 0) {
      break;
    }
    chain.pop();
  }
  chain.push(point);
}

function smallestRectangle(left: readonly Point[], right: readonly Point[]): Rectangle {
  const points = [...left, ...right];
  let best: Rectangle | undefined;
  let smallest = Infinity;
  // Tried in this order, and the first of equal ones taken: upright, the left sides downwards, the right ones.
  for (const { x, y } of [{ x: 1, y: 0 }, ...steps(left), ...steps(right)]) {
    const [dx, dy] = rightwards(x, y);
    const around = { dx, dy, lowU: Infinity, highU: -Infinity, lowV: Infinity, highV: -Infinity };
    for (const point of points) {
      const u = point.x * dx + point.y * dy;
      const v = point.y * dx - point.x * dy;
      around.lowU = Math.min(around.lowU, u);
      around.highU = Math.max(around.highU, u);
      around.lowV = Math.min(around.lowV, v);
      around.highV = Math.max(around.highV, v);
    }
    const area = ((around.highU - around.lowU) * (around.highV - around.lowV)) / (dx * dx + dy * dy);
    if (area < smallest) {
      [best, smallest] = [around, area];
    }
  }
  return best!;
}

function steps(chain: readonly Point[]): Point[] {
  return chain.slice(1).map(({ x, y }, i) => ({ x: x - chain[i]!.x, y: y - chain[i]!.y }));
}

/** Turns a direction by quarters until it points right, by less than 45 degrees upwards and at most 45 downwards. */
function rightwards(dx: number, dy: number): [number, number] {
  while (!(dx > 0 && -dx < dy && dy <= dx)) {
    [dx, dy] = [-dy, dx];
  }
  return [dx, dy];
}

function sides({ dx, dy, lowU, highU, lowV, highV }: Rectangle): [number, number] {
  const length = Math.sqrt(dx * dx + dy * dy);
  return [(highU - lowU) / length, (highV - lowV) / length];
}

function cornersOf({ dx, dy, lowU, highU, lowV, highV }: Rectangle, margin: number): Quadrilateral {
  const square = dx * dx + dy * dy;
  const wider = margin * Math.sqrt(square);
  const corner = (u: number, v: number): [number, number] => [
    (u * dx - v * dy) / square + 0.5,
    (u * dy + v * dx) / square + 0.5,
  ];
  const [left, right, top, bottom] = [lowU - wider, highU + wider, lowV - wider, highV + wider];
  return [...corner(left, top), ...corner(right, top), ...corner(right, bottom), ...corner(left, bottom)];
}

/** The mean probability of the pixels whose centres lie in a rectangle. */
function meanWithin(map: Float32Array, height: number, width: number, stride: number, rectangle: Rectangle): number {
  const { dx, dy, lowU, highU, lowV, highV } = rectangle;
  const square = dx * dx + dy * dy;
  const top = Math.max(Math.ceil((Math.min(lowU * dy, highU * dy) + lowV * dx) / square), 0);
  const bottom = Math.min(Math.floor((Math.max(lowU * dy, highU * dy) + highV * dx) / square), height - 1);
  let total = 0;
  let number = 0;
  for (let row = top; row <= bottom; row++) {
    let left = Math.ceil((lowU - row * dy) / dx);
    let right = Math.floor((highU - row * dy) / dx);
    if (dy !== 0) {
      // Of the sides above and below: which of them bounds a row on the left depends on where the rectangle leans.
      const [near, far] = dy > 0 ? [row * dx - highV, row * dx - lowV] : [lowV - row * dx, highV - row * dx];
      left = Math.max(left, Math.ceil(near / Math.abs(dy)));
      right = Math.min(right, Math.floor(far / Math.abs(dy)));
    }
    left = Math.max(left, 0);
    right = Math.min(right, width - 1);
    for (let column = left; column <= right; column++) {
      total += map[row * stride + column]!;
    }
    number += Math.max(right - left + 1, 0);
  }
  return total / Math.max(number, 1);
}
