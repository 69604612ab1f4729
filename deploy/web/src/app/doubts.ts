/** What else a letter may be, where the reading is unsure of it. */
import type { Word } from "../recognizer";

/** Below this probability of a letter, the next probable one is told. */
const DOUBTFUL = 0.8;
/** Less probable ones are no help. */
const WORTH_TELLING = 0.05;

export interface Doubt {
  readonly letter: string;
  /** The next probable letter; empty where the word may end there. */
  readonly other: string;
  readonly confidence: number;
}

export function doubtsOf(word: Word): Doubt[] {
  return word.characters
    .filter(({ confidence, next }) => confidence < DOUBTFUL && next.confidence >= WORTH_TELLING)
    .map(({ character, next }) => ({ letter: character, other: next.character, confidence: next.confidence }));
}
