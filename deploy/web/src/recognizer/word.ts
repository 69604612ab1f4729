/** The twin of spin_tf/contract/word.py and greedy.py. */
import { END_ID, FIRST_CHARACTER_ID } from "./contract";
import type { Turn } from "./picture";
import type { Box } from "./pixels";

/** One character of a word: its probability and the centre of attention. */
export interface Character {
  readonly character: string;
  readonly confidence: number;
  /** 0 (left edge) to 1 across what was read: the box of the word, turned. */
  readonly x: number;
  /** What is most probable in its place next to it; no character where the word may end there. */
  readonly next: { readonly character: string; readonly confidence: number };
}

/** A word that was read. */
export interface Word {
  /** Empty where the model sees none. */
  readonly text: string;
  /** 0..1: the probability that the model gives to exactly this reading. */
  readonly confidence: number;
  readonly characters: readonly Character[];
  /** Degrees counter-clockwise by which the crop was turned for this reading. */
  readonly turned: Turn;
  /** The part of the image that was read: the crop, or what was left of it once even ground was cut off. */
  readonly box: Box;
  /** Whether the word did not end within the model's longest, so that more may follow. */
  readonly truncated: boolean;
}

/**
 * Reads one word: the most probable character of each step, up to the end.
 *
 * @param probabilities (steps, classes), row by row.
 * @param positions (steps,).
 */
export function decode(
  charset: readonly string[],
  probabilities: Float32Array,
  positions: Float32Array,
  turned: Turn,
  box: Box,
): Word {
  const numClasses = charset.length + FIRST_CHARACTER_ID;
  const characters: Character[] = [];
  let confidence = 1;
  let truncated = true;
  for (let step = 0; step < positions.length; step++) {
    const row = probabilities.subarray(step * numClasses, (step + 1) * numClasses);
    const best = row.reduce((top, value, id) => (value > row[top]! ? id : top), 0);
    confidence *= row[best]!;
    if (best === END_ID) {
      truncated = false;
      break;
    }
    if (best >= FIRST_CHARACTER_ID) {
      const second = row.reduce((top, value, id) => (id !== best && (top < 0 || value > row[top]!) ? id : top), -1);
      characters.push({
        character: charset[best - FIRST_CHARACTER_ID]!,
        confidence: row[best]!,
        x: positions[step]!,
        next: { character: charset[second - FIRST_CHARACTER_ID] ?? "", confidence: row[second]! },
      });
    }
  }
  return { text: characters.map((c) => c.character).join(""), confidence, characters, turned, box, truncated };
}
