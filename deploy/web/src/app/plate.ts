/** One reading, put up as a sign: the crop, a bar for each character at its place, and the word. */
import type { Box, Character, Word } from "../recognizer";
import { groundOf, takeRows } from "../recognizer/pixels";
import { make, percent } from "./dom";
import { type Doubt, doubtsOf } from "./doubts";
import { explain, say } from "./messages";

/** Below this probability a character is marked. */
const UNSURE = 0.6;
/** Below this confidence a word is hardly more than a guess: of such readings, at most one in ten is right. */
const GUESS = 0.1;
/** No crop is shown at more than this width, so that a large picture costs little. */
const SHOWN_WIDTH = 1200;

export interface PlateActions {
  readonly again: () => void;
  readonly remove?: () => void;
}

export class Plate {
  readonly element = make("li", { className: "plate reading" });

  /** @param named whether the label is the name of a file, which the sign then bears. */
  constructor(
    readonly label: string,
    private readonly actions: PlateActions,
    private readonly named = false,
  ) {
    this.showPending();
  }

  showPending(): void {
    this.element.replaceChildren(make("p", { className: "pending" }, [`Reading ${this.spoken} …`]));
  }

  showError(error: unknown): void {
    this.element.replaceChildren(make("p", {}, [explain(error, this.named ? this.label : "")]), this.buttons());
  }

  /** The label within a sentence. */
  private get spoken(): string {
    return this.named ? this.label : this.label.toLowerCase();
  }

  /** @param image what the word was read from: of it, what was left of even ground is shown. */
  show(image: ImageBitmap, word: Word): void {
    const { box } = word;
    const aspect = isUpright(word.turned) ? box.width / box.height : box.height / box.width;
    const specimen = make("div", { className: "specimen" }, [drawCrop(image, box, word.turned)]);
    specimen.style.setProperty("--aspect", String(aspect));
    this.element.style.setProperty("--count", String(Math.max(1, word.characters.length)));
    if (word.characters.length > 0) {
      const standing = spread(
        word.characters.map(({ x }) => x),
        aspect,
      );
      specimen.append(leaders(word.characters, standing), bars(word.characters, standing));
    }
    const name = make("p", { className: "name" }, letters(word));
    const sure = make("p", { className: "sure" }, [
      make("span", { className: "visually-hidden", textContent: "Confidence: " }),
      percent(word.confidence),
    ]);
    const notes = [];
    if (word.turned === 180) {
      notes.push(make("p", { className: "note" }, ["Read upside down"]));
    } else if (word.turned !== 0) {
      notes.push(make("p", { className: "note" }, [`Read turned ${word.turned > 0 ? "left" : "right"} by a quarter`]));
    }
    if (word.truncated) {
      notes.push(make("p", { className: "note" }, ["As much as can be read at once: the word may go on"]));
    }
    const doubts = doubtsOf(word);
    if (word.text !== "" && word.confidence < GUESS) {
      notes.push(make("p", { className: "note" }, ["A guess: perhaps no word is here, or more than one"]));
    }
    if (doubts.length > 0) {
      notes.push(otherLetters(doubts));
    }
    const tag = make("span", { className: "number", textContent: this.label.replace(/\D+/g, "") || "·" });
    tag.ariaHidden = "true";
    this.element.replaceChildren(
      specimen,
      make("div", { className: "line" }, [...(this.actions.remove && !this.named ? [tag] : []), name, sure]),
      ...(this.named ? [make("p", { className: "note file" }, [this.label])] : []),
      ...notes,
      this.buttons(word.text),
    );
  }

  private buttons(text = ""): HTMLElement {
    const group = make("div", { className: "buttons" });
    const add = (label: string, spoken: string, action: () => void): HTMLButtonElement => {
      const button = make("button", { type: "button", className: "button", textContent: label });
      button.setAttribute("aria-label", `${label} ${spoken}`);
      button.addEventListener("click", action);
      group.append(button);
      return button;
    };
    if (text !== "") {
      const copy = add("Copy", text, () => void copyText(text).then((copied) => flash(copy, copied)));
    }
    add("Read again", this.spoken, this.actions.again);
    if (this.actions.remove) {
      add("Delete", this.spoken, this.actions.remove);
    }
    return group;
  }
}

function letters(word: Word): (Node | string)[] {
  if (word.text === "") {
    return [make("span", { className: "nothing", textContent: "No word here" })];
  }
  const parts = word.characters.map(({ character, confidence }) =>
    make("span", { className: confidence < UNSURE ? "unsure" : "", textContent: character }),
  );
  // Screen readers would spell the spans out one by one.
  const seen = make("span", { attributes: { "aria-hidden": "true" } }, parts);
  return [seen, make("span", { className: "visually-hidden", textContent: word.text })];
}

function isUpright(turned: number): boolean {
  return turned === 0 || turned === 180;
}

/** "Not sure: n, or r (38 %)". */
function otherLetters(doubts: readonly Doubt[]): HTMLElement {
  const parts = doubts.flatMap(({ letter, other, confidence }, i) => [
    i === 0 ? "Not sure: " : "; ",
    make("b", { textContent: letter }),
    other === "" ? " or the end" : " or ",
    ...(other === "" ? [] : [make("b", { textContent: other })]),
    ` (${percent(confidence)})`,
  ]);
  return make("p", { className: "note doubts" }, parts);
}

function drawCrop(image: ImageBitmap, box: Box, turned: number): HTMLCanvasElement {
  const canvas = make("canvas", { attributes: { role: "img", "aria-label": "The part of the picture that was read" } });
  const scale = Math.min(1, SHOWN_WIDTH / Math.max(box.width, box.height));
  const width = Math.max(1, Math.round(box.width * scale));
  const height = Math.max(1, Math.round(box.height * scale));
  [canvas.width, canvas.height] = isUpright(turned) ? [width, height] : [height, width];
  const context = canvas.getContext("2d")!;
  // What is transparent is shown as it was read.
  const some = Math.min(64, box.height);
  const rows = Array.from({ length: some }, (_, i) => Math.floor((i * box.height) / some));
  context.fillStyle = groundOf(image, box, takeRows(image, box, rows)) === 0 ? "#000" : "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.translate(canvas.width / 2, canvas.height / 2);
  context.rotate((-turned * Math.PI) / 180);
  context.drawImage(image, box.x, box.y, box.width, box.height, -width / 2, -height / 2, width, height);
  return canvas;
}

/** Where the bars stand, in hundredths: at the characters' places, but never one on another. */
function spread(places: readonly number[], aspect: number): number[] {
  // The narrower the crop, the more of it a letter takes.
  const gap = Math.min(100 / places.length, Math.max(4.5, 9 / aspect));
  const result = places.map((x) => x * 100);
  // Attention runs from left to right; a bar that would stand on its neighbour shares the way with it.
  for (let round = 0; round < 60; round++) {
    for (let i = 1; i < result.length; i++) {
      const missing = gap - (result[i]! - result[i - 1]!);
      if (missing > 0) {
        result[i - 1]! -= missing / 2;
        result[i]! += missing / 2;
      }
    }
    for (let i = 0; i < result.length; i++) {
      result[i] = Math.min(100 - gap / 2, Math.max(gap / 2, result[i]!));
    }
  }
  return result;
}

function leaders(characters: readonly Character[], standing: readonly number[]): SVGSVGElement {
  const namespace = "http://www.w3.org/2000/svg";
  const svg = document.createElementNS(namespace, "svg");
  svg.setAttribute("viewBox", "0 0 100 100");
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("class", "leaders");
  svg.setAttribute("aria-hidden", "true");
  characters.forEach(({ x, confidence }, i) => {
    const line = document.createElementNS(namespace, "polyline");
    line.setAttribute("points", `${x * 100},0 ${x * 100},30 ${standing[i]},100`);
    line.setAttribute("class", confidence < UNSURE ? "unsure" : "");
    svg.append(line);
  });
  return svg;
}

function bars(characters: readonly Character[], standing: readonly number[]): HTMLElement {
  const items = characters.map(({ character, confidence }, i) => {
    const bar = make("span", { className: "bar", attributes: { "aria-hidden": "true" } });
    bar.style.setProperty("--fill", String(confidence));
    const letter = make("span", { className: "letter", textContent: character });
    const value = make("span", { className: "value", textContent: percent(confidence) });
    const item = make("li", { className: confidence < UNSURE ? "unsure" : "" }, [bar, letter, " ", value]);
    item.title = `${character}: ${percent(confidence)}`;
    item.style.setProperty("--x", String(standing[i]));
    return item;
  });
  return make("ol", { className: "bars", attributes: { "aria-label": "Confidence of each character" } }, items);
}

export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    say(`Copied ${text}`);
    return true;
  } catch (error) {
    console.error(error);
    say("The browser does not let this page copy. Select the word and copy it by hand.");
    return false;
  }
}

function flash(button: HTMLButtonElement, copied: boolean): void {
  const label = button.textContent;
  button.textContent = copied ? "Copied" : "Not copied";
  setTimeout(() => (button.textContent = label), 1600);
}
