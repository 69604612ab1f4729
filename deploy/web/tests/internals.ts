/** What the tests need of the inside of the recogniser: the input that the model is given. */
import { parseMetadata } from "../src/recognizer/metadata";
import { decodeImage } from "../src/recognizer/pixels";
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

/** Whether this text as the metadata of a model is refused, and how. */
export function refusal(text: string): string {
  try {
    parseMetadata(new TextEncoder().encode(text).buffer);
    return "fine";
  } catch (error) {
    return (error as { code: string; message: string }).message;
  }
}
