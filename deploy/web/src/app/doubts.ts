/** What else a letter may be, where the reading is unsure of it; the twin of what `--n_best` shows. */
import type { Box, SpinRecognizer, Word } from "../recognizer";
import { turnedViews } from "../recognizer/turning";
import { FIRST_CHARACTER_ID } from "../recognizer/word";

/** Below this probability of a letter, the next probable one is told. */
export const DOUBTFUL = 0.8;
/** Less probable ones are no help. */
const WORTH_TELLING = 0.05;

export interface Doubt {
  /** The place of the letter in the word. */
  readonly at: number;
  /** The next probable letter; empty where the word may end there. */
  readonly other: string;
  readonly confidence: number;
}

/**
 * Reads the word once more and keeps what comes second. Nothing is read where the word is sure of every letter.
 *
 * @param image what the word was read from.
 */
export async function doubtsOf(
  recognizer: SpinRecognizer,
  image: ImageBitmap | ImageData,
  box: Box,
  word: Word,
): Promise<Doubt[]> {
  // The engine is the recogniser's own: its answer to `read` holds the most probable letters alone.
  const engine = recognizer["engine"];
  if (engine === undefined || word.characters.every(({ confidence }) => confidence >= DOUBTFUL)) {
    return [];
  }
  const size = recognizer.metadata.image_size;
  const view = turnedViews(image, box, size, true).find(({ degrees }) => degrees === word.turned);
  if (view === undefined) {
    return [];
  }
  const { probabilities } = await engine.run(view.input);
  return secondBest(word, probabilities, recognizer.characters);
}

/** @param probabilities (steps, classes), row by row, of the reading of `word`. */
export function secondBest(word: Word, probabilities: Float32Array, charset: readonly string[]): Doubt[] {
  const numClasses = charset.length + FIRST_CHARACTER_ID;
  const doubts: Doubt[] = [];
  let at = 0;
  for (let step = 0; at < word.characters.length; step++) {
    const row = [...probabilities.subarray(step * numClasses, (step + 1) * numClasses)];
    const [best, second] = row.map((_, id) => id).sort((a, b) => row[b]! - row[a]!);
    if (best === undefined || second === undefined) {
      break;
    }
    // A step that starts or pads a word is no letter of it.
    if (best < FIRST_CHARACTER_ID) {
      continue;
    }
    const confidence = row[second]!;
    if (row[best]! < DOUBTFUL && confidence >= WORTH_TELLING) {
      doubts.push({ at, other: charset[second - FIRST_CHARACTER_ID] ?? "", confidence });
    }
    at++;
  }
  return doubts;
}
