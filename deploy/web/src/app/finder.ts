/** Words that are found, not drawn: where a detector's file lies beside the model, or the reader has given one. */
import {
  cutOut,
  linesOf,
  type Quadrilateral,
  SpinDetector,
  type SpinRecognizer,
  widen,
  type Word,
} from "../recognizer";

/** Whether the build has a detector beside its model; set by build.mjs. */
declare const DETECTOR: boolean;

const FILE = "detector.tflite";
/** A file that the reader gave, kept from visit to visit. Other pages of the same host have caches of their own. */
const CACHE = `spin-detector:${new URL("./", location.href).pathname}`;
/** Below it most of what was read is nothing that a person would read; see spin_tf/photo/reader.py. */
const MIN_CONFIDENCE = 0.4;

export interface FoundWord {
  readonly corners: Quadrilateral;
  readonly word: Word;
  readonly crop: ImageData;
  /** The number of its line, from 0 in reading order. */
  readonly line: number;
}

let loading: Promise<SpinDetector | undefined> | undefined;

/** The detector, or undefined where there is none; after a failure, the next picture tries again. */
export function detector(): Promise<SpinDetector | undefined> {
  loading ??= load().catch((error: unknown) => {
    loading = undefined;
    throw error;
  });
  return loading;
}

async function load(): Promise<SpinDetector | undefined> {
  const given = "caches" in globalThis ? await (await caches.open(CACHE)).match(FILE) : undefined;
  if (given) {
    return SpinDetector.load(await given.arrayBuffer());
  }
  return DETECTOR ? SpinDetector.load(FILE) : undefined;
}

/** Takes a detector from a file of the reader's, from now on and on later visits; throws SpinError "model_invalid". */
export async function takeDetector(file: Blob): Promise<void> {
  const bytes = await file.arrayBuffer();
  const taken = await SpinDetector.load(bytes);
  (await loading?.catch(() => undefined))?.dispose();
  loading = Promise.resolve(taken);
  if ("caches" in globalThis) {
    await (await caches.open(CACHE)).put(FILE, new Response(bytes));
  }
}

/**
 * Finds the words of a photograph and reads them.
 *
 * @param progress is told how many of how many words are read.
 * @param wanted whether the photograph still counts.
 * @returns the words in reading order; undefined where the photograph does not count any more.
 */
export async function findWords(
  image: ImageBitmap,
  finder: SpinDetector,
  reader: SpinRecognizer,
  progress: (read: number, all: number) => void,
  wanted: () => boolean,
): Promise<FoundWord[] | undefined> {
  const places = await finder.find(image);
  const found: Omit<FoundWord, "line">[] = [];
  for (const [i, { corners }] of places.entries()) {
    if (!wanted()) {
      return undefined;
    }
    progress(i, places.length);
    const crop = cutOut(image, widen(corners));
    const word = crop && (await reader.read(crop));
    if (word && word.text !== "" && word.confidence >= MIN_CONFIDENCE) {
      found.push({ corners, word, crop });
    }
  }
  if (!wanted()) {
    return undefined;
  }
  const lines = linesOf(found.map(({ corners }) => corners));
  return lines.flatMap((members, line) => members.map((i) => ({ ...found[i]!, line })));
}
