/** The twin of spin_tf/contract/turning.py: what a model is to read of a crop, and which reading counts. */
import { TALL, TURNS } from "./contract";
import type { Picture, Turn } from "./picture";
import { type Input, preprocess, type Preprocessing } from "./preprocess";
import type { Word } from "./word";

/** Which crops are read turned: none; tall ones by a quarter either way; beside these, all of them upside down. */
export type TurnOption = (typeof TURN_OPTIONS)[number];

export const TURN_OPTIONS = ["none", "tall", "auto"] as const;

/** An input of the model, and by how many degrees counter-clockwise the crop was turned for it. */
export interface View extends Input {
  readonly turned: Turn;
}

/** What the model is to read of one crop, without its even ground. */
export function turnedViews(picture: Picture, preprocessing: Preprocessing, option: TurnOption): View[] {
  return turnsOf(picture, option).map((turned) => ({ turned, ...preprocess(picture, turned, preprocessing) }));
}

function turnsOf({ width, height }: Picture, option: TurnOption): Turn[] {
  const isTall = TALL[1] * height >= TALL[0] * width;
  const isRead = {
    0: true,
    90: option !== "none" && isTall,
    "-90": option !== "none" && isTall,
    180: option === "auto",
  };
  return TURNS.filter((turn) => isRead[turn]);
}

/** The crop as it is, or a reading of the turned one that is surer; one letter alone does not run anywhere. */
export function surest(words: readonly Word[]): Word {
  return words
    .filter((word) => word.turned === 0 || word.characters.length > 1)
    .reduce((best, word) => (word.confidence > best.confidence ? word : best));
}
