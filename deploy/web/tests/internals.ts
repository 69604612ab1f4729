/** What the tests need of the inside of the recogniser: the input that the model is given. */
import { parseMetadata } from "../src/recognizer/metadata";
import { decodeImage } from "../src/recognizer/pixels";
import { letterbox } from "../src/recognizer/resize";
import { findQuadrilaterals, type Place } from "../src/recognizer/text_map";
import { turnedViews } from "../src/recognizer/turning";

export async function views(
  url: string,
  imageSize: [number, number],
): Promise<{ size: number[]; views: Record<string, number[]> }> {
  const bitmap = await decodeImage(await (await fetch(url)).blob());
  const whole = { x: 0, y: 0, width: bitmap.width, height: bitmap.height };
  const turned = turnedViews(bitmap, whole, imageSize, true);
  const entries = turned.map(({ degrees, input }) => [String(degrees), [...input]] as const);
  return { size: [bitmap.width, bitmap.height], views: Object.fromEntries(entries) };
}

/** What a detector is given of a picture. */
export async function detectorInput(
  url: string,
  rows: number,
  columns: number,
  size: [number, number],
): Promise<number[]> {
  return [...letterbox(await decodeImage(await (await fetch(url)).blob()), rows, columns, size)];
}

/** The rectangles of a map, which may lie in a larger one. */
export function rectangles(values: number[], height: number, width: number, border: number): Place[] {
  const stride = width + border;
  const map = new Float32Array(stride * (height + border)).fill(1);
  for (let row = 0; row < height; row++) {
    map.set(values.slice(row * width, (row + 1) * width), row * stride);
  }
  return findQuadrilaterals(map, height, width, stride);
}

/** Whether this text as the metadata of a model is refused, and how. */
export function refusal(text: string): string {
  try {
    parseMetadata(new TextEncoder().encode(text).buffer);
    return "fine";
  } catch (error) {
    return (error as { code: string; message: string }).message;
  }
}
