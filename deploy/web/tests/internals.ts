/** What the tests need of the inside of the recogniser: the input that the model is given. */
import { parseMetadata, readMetadata } from "../src/recognizer/metadata";
import { Picture } from "../src/recognizer/picture";
import { type Box, decodeImage } from "../src/recognizer/pixels";
import { cut, type Preprocessing } from "../src/recognizer/preprocess";
import { letterbox } from "../src/recognizer/resize";
import { findQuadrilaterals, type Place } from "../src/recognizer/text_map";
import { turnedViews } from "../src/recognizer/turning";
import { decode, type Word } from "../src/recognizer/word";

/** What an image file is to the recogniser: its size, what is left of it, and by degrees what a model is to read. */
export async function views(
  url: string,
  preprocessing: Preprocessing,
): Promise<{ size: number[]; box: Box; views: Record<string, number[]> }> {
  const bitmap = await decodeImage(await (await fetch(url)).blob());
  const whole = { x: 0, y: 0, width: bitmap.width, height: bitmap.height };
  const picture = cut(Picture.of(bitmap, whole), preprocessing);
  const turned = turnedViews(picture, preprocessing, "auto");
  const entries = turned.map(({ turned, values }) => [String(turned), [...values]]);
  return { size: [bitmap.width, bitmap.height], box: picture.box, views: Object.fromEntries(entries) };
}

/** The same of many files: by path and degrees, a sum of what a model is to read. */
export async function sums(
  urls: string[],
  preprocessing: Preprocessing,
): Promise<Record<string, Record<string, string>>> {
  const result: Record<string, Record<string, string>> = {};
  for (const url of urls) {
    const entries = Object.entries((await views(url, preprocessing)).views).map(async ([turned, values]) => {
      const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", Float32Array.from(values)));
      return [turned, [...digest].map((byte) => byte.toString(16).padStart(2, "0")).join("")];
    });
    result[url] = Object.fromEntries(await Promise.all(entries));
  }
  return result;
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

/** Why the metadata of a file cannot be read. */
export function unreadable(file: Uint8Array): Promise<string> {
  return readMetadata(file).then(
    () => "fine",
    (error: Error) => String(error.cause),
  );
}

/** The word of some steps over a charset of "a" and "b": their most probable classes, 0 to 3; the next one comes second. */
export function wordOf(classes: number[]): Word {
  const likely = (id: number, other: number): number => [0.7, 0.2, 0.05, 0.05][(other - id + 4) % 4]!;
  const probabilities = classes.flatMap((id) => [0, 1, 2, 3].map((other) => likely(id, other)));
  const box = { x: 0, y: 0, width: 1, height: 1 };
  return decode(["a", "b"], Float32Array.from(probabilities), new Float32Array(classes.length), 0, box);
}
