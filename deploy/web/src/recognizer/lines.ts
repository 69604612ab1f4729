/** The twin of spin_tf/photo/order.py: words into lines, lines into the order in which they are read. */
import type { Quadrilateral } from "./text_map";

/** In heights of the smaller word: how wide a blank may be, how far words may overlap or be shifted against the line. */
const MAX_BLANK = 1.6;
const MAX_OVERLAP = 0.6;
const MAX_SHIFT = 0.45;
/** Words of one line are of about one height and direction. */
const MAX_RATIO = 1.9;
const MIN_COSINE = 0.85;

interface Bar {
  readonly left: readonly [number, number];
  readonly right: readonly [number, number];
  readonly along: readonly [number, number];
  readonly high: number;
}

/** Chains words to lines, which may be tilted or bent, and sorts the lines: the numbers of the words of each. */
export function linesOf(words: readonly Quadrilateral[]): number[][] {
  const chains = chain(words.map(toBar));
  return readingOrder(chains.map((members) => members.map((i) => words[i]!))).map((i) => chains[i]!);
}

function toBar(q: Quadrilateral): Bar {
  const left = [(q[0] + q[6]) / 2, (q[1] + q[7]) / 2] as const;
  const right = [(q[2] + q[4]) / 2, (q[3] + q[5]) / 2] as const;
  const high = (Math.hypot(q[6] - q[0], q[7] - q[1]) + Math.hypot(q[4] - q[2], q[5] - q[3])) / 2;
  return { left, right, along: unit(right[0] - left[0], right[1] - left[1]), high: Math.max(high, 1e-6) };
}

function unit(x: number, y: number): readonly [number, number] {
  const length = Math.max(Math.hypot(x, y), 1e-6);
  return [x / length, y / length];
}

function chain(bars: readonly Bar[]): number[][] {
  const pairs: { one: number; two: number; cost: number }[] = [];
  bars.forEach((a, one) =>
    bars.forEach((b, two) => {
      const [gapX, gapY] = [b.left[0] - a.right[0], b.left[1] - a.right[1]];
      const [x, y] = unit(a.along[0] + b.along[0], a.along[1] + b.along[1]);
      const lower = Math.min(a.high, b.high);
      const forward = (gapX * x + gapY * y) / lower;
      const shift = Math.abs(gapX * y - gapY * x) / lower;
      const cosine = a.along[0] * b.along[0] + a.along[1] * b.along[1];
      const near = forward < MAX_BLANK && forward > -MAX_OVERLAP && shift < MAX_SHIFT;
      if (one !== two && near && Math.max(a.high, b.high) < MAX_RATIO * lower && cosine > MIN_COSINE) {
        pairs.push({ one, two, cost: Math.abs(forward) + 2 * shift });
      }
    }),
  );
  pairs.sort((a, b) => a.cost - b.cost);
  const after = new Map<number, number>();
  const before = new Set<number>();
  const endOf = (word: number): number => {
    while (after.has(word)) {
      word = after.get(word)!;
    }
    return word;
  };
  for (const { one, two } of pairs) {
    if (!after.has(one) && !before.has(two) && endOf(two) !== one) {
      after.set(one, two);
      before.add(two);
    }
  }
  const chains: number[][] = [];
  for (let start = 0; start < bars.length; start++) {
    if (!before.has(start)) {
      const members = [start];
      while (after.has(members.at(-1)!)) {
        members.push(after.get(members.at(-1)!)!);
      }
      chains.push(members);
    }
  }
  return chains;
}

interface Extent {
  readonly left: number;
  readonly right: number;
  readonly x: number;
  readonly y: number;
}

/** Above comes before below where lines share columns, a column before the next one (Breuel, 2003). */
function readingOrder(lines: readonly (readonly Quadrilateral[])[]): number[] {
  const extents = lines.map((line): Extent => {
    const xs = line.flatMap((q) => [q[0], q[2], q[4], q[6]]);
    const ys = line.flatMap((q) => [q[1], q[3], q[5], q[7]]);
    const [left, right] = [Math.min(...xs), Math.max(...xs)];
    // Lines that share a few pixels of their columns are beside each other.
    const slack = 0.1 * (right - left);
    const y = (Math.min(...ys) + Math.max(...ys)) / 2;
    return { left: left + slack, right: right - slack, x: (left + right) / 2, y };
  });
  const share = (a: Extent, b: Extent): boolean => a.left < b.right && b.left < a.right;
  const first = extents.map((a) => extents.map((b) => share(a, b) && a.y < b.y));
  extents.forEach((a, i) =>
    extents.forEach((b, j) => {
      if (share(a, b) || a.x >= b.x) {
        return;
      }
      // What spans both columns between them parts what is above it from what is below.
      const [top, bottom] = [Math.min(a.y, b.y), Math.max(a.y, b.y)];
      const parted = extents.some((c) => share(a, c) && share(b, c) && c.y > top && c.y < bottom);
      const before = parted && a.y >= b.y ? [j, i] : [i, j];
      first[before[0]!]![before[1]!] = true;
    }),
  );
  const rest = extents.map((_, i) => i).sort((i, j) => extents[i]!.y - extents[j]!.y || extents[i]!.x - extents[j]!.x);
  const order: number[] = [];
  while (rest.length > 0) {
    // A circle, which bent lines can form, is opened at its highest line.
    const free = Math.max(
      rest.findIndex((i) => !rest.some((j) => j !== i && first[j]![i])),
      0,
    );
    order.push(...rest.splice(free, 1));
  }
  return order;
}
