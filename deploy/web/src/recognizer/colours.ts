/** The twin of spin_tf/contract/colour.py: colours along an axis in place of grey, for ink that differs in colour only. */
import { COLOUR_DIRECTIONS, COLOUR_MIN_VARIANCE, COLOUR_RATIO, COLOUR_UNIT } from "./contract";
import { greyOf } from "./pixels";

type Direction = (typeof COLOUR_DIRECTIONS)[number];

/** Grey values 0..255 of red, green and blue. */
export function greys(pixels: Uint8Array): Uint8Array {
  const result = new Uint8Array(pixels.length / 3);
  for (let i = 0, at = 0; i < result.length; i++, at += 3) {
    result[i] = greyOf(pixels[at]!, pixels[at + 1]!, pixels[at + 2]!);
  }
  return result;
}

/** Values 0..255 along the axis along which colours spread, where their grey values hardly do; grey values elsewhere. */
export function greysOrColours(pixels: Uint8Array): Uint8Array {
  const grey = greys(pixels);
  const axis = colourAxis(pixels, grey);
  return axis === undefined ? grey : along(pixels, axis);
}

/** All sums are of whole numbers below 2 ** 53, which JavaScript's numbers hold exactly. */
function colourAxis(pixels: Uint8Array, grey: Uint8Array): Direction | undefined {
  const number = grey.length;
  let [red, green, blue, shade] = [0, 0, 0, 0];
  let [squares, shadeSquares] = [0, 0];
  for (let i = 0, at = 0; i < number; i++, at += 3) {
    const [r, g, b, s] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!, grey[i]!];
    red += r;
    green += g;
    blue += b;
    shade += s;
    squares += r * r + g * g + b * b;
    shadeSquares += s * s;
  }
  const least = Math.max(COLOUR_RATIO * (number * shadeSquares - shade * shade), COLOUR_MIN_VARIANCE * number * number);
  // Along no axis is more than all three channels have together: most pictures end here.
  if (number * squares - (red * red + green * green + blue * blue) < least) {
    return undefined;
  }
  let [rr, gg, bb, rg, rb, gb] = [0, 0, 0, 0, 0, 0];
  for (let at = 0; at < pixels.length; at += 3) {
    const [r, g, b] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
    rr += r * r;
    gg += g * g;
    bb += b * b;
    rg += r * g;
    rb += r * b;
    gb += g * b;
  }
  const spread = {
    rr: number * rr - red * red,
    gg: number * gg - green * green,
    bb: number * bb - blue * blue,
    rg: number * rg - red * green,
    rb: number * rb - red * blue,
    gb: number * gb - green * blue,
  };
  let best: Direction | undefined;
  let most = COLOUR_UNIT * least - 1;
  for (const direction of COLOUR_DIRECTIONS) {
    const [x, y, z] = direction;
    const { rr, gg, bb, rg, rb, gb } = spread;
    const total = x * x * rr + y * y * gg + z * z * bb + 2 * (x * y * rg + x * z * rb + y * z * gb);
    const variance = total * (COLOUR_UNIT / (x * x + y * y + z * z));
    if (variance > most) {
      [best, most] = [direction, variance];
    }
  }
  return best;
}

/** Where the colours lie along an axis, from the lowest 0 to the highest 255. */
function along(pixels: Uint8Array, [x, y, z]: Direction): Uint8Array {
  const places = new Int32Array(pixels.length / 3);
  for (let i = 0, at = 0; i < places.length; i++, at += 3) {
    places[i] = x * pixels[at]! + y * pixels[at + 1]! + z * pixels[at + 2]!;
  }
  let [lowest, highest] = [Infinity, -Infinity];
  for (const place of places) {
    lowest = Math.min(lowest, place);
    highest = Math.max(highest, place);
  }
  const span = highest - lowest;
  return Uint8Array.from(places, (place) => Math.floor(((place - lowest) * 510 + span) / (2 * span)));
}
