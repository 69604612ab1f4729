/**
 * Reads word images inside the browser with the LiteRT files of spin_tf; nothing leaves the page.
 *
 *     const recognizer = await SpinRecognizer.load("spin.tflite");
 *     const word = await recognizer.read(file);
 */
import { FIRST_CHARACTER_ID } from "./contract";
import { Engine, loadEngine } from "./engine";
import { SpinError } from "./errors";
import { type ModelMetadata, readMetadata } from "./metadata";
import { fetchModel } from "./fetch_model";
import { Picture } from "./picture";
import { type Box, checkBox } from "./pixels";
import { cut, type Preprocessing, preprocessingOf } from "./preprocess";
import { type ImageSource, openImage } from "./sources";
import { surest, TURN_OPTIONS, turnedViews, type TurnOption } from "./turning";
import { decode, type Word } from "./word";

export { SpinDetector } from "./detector";
export { SpinError, type SpinErrorCode } from "./errors";
export type { ModelMetadata } from "./metadata";
export { type Box, decodeImage } from "./pixels";
export type { ImageSource } from "./sources";
export { cutOut, widen } from "./straighten";
export type { Place, Quadrilateral } from "./text_map";
export type { TurnOption } from "./turning";
export type { Character, Word } from "./word";
export { linesOf } from "./lines";

export interface LoadOptions {
  /** The folder of LiteRT's WebAssembly; by default `litert/` beside this module. */
  readonly engine?: string | URL;
  /**
   * Which turned crops are read beside the crop as it is, of which the surest reading counts: "none"; "tall", by default:
   * tall ones by a quarter either way; "auto": these, and all of them upside down.
   */
  readonly turn?: TurnOption;
  /** What `turn` was called when there were two: true is "tall", false is "none". */
  readonly turnTall?: boolean;
}

export interface ReadOptions {
  /** The part of the image that holds the word, in its pixels; by default all of it. */
  readonly box?: Box;
}

/** Reads crops that hold one word each, as `Recognizer` of spin_tf does. */
export class SpinRecognizer {
  /** The characters that the model knows, in the order of its classes. */
  readonly characters: readonly string[];
  /** Words that are being read. */
  private running = 0;

  private constructor(
    private engine: Engine | undefined,
    readonly metadata: ModelMetadata,
    private readonly preprocessing: Preprocessing,
    private readonly turn: TurnOption,
  ) {
    this.characters = [...metadata.charset.characters];
  }

  /**
   * Loads a model: charset, image size and version come from inside the file.
   *
   * @param model where a `.tflite` file of spin_tf lies, or its bytes.
   * @throws SpinError "no_webassembly", "engine_failed", "model_missing", "model_invalid" or "bad_argument".
   */
  static async load(
    model: string | URL | ArrayBuffer | Uint8Array,
    options: LoadOptions = {},
  ): Promise<SpinRecognizer> {
    const turn = options.turn ?? (options.turnTall === false ? "none" : "tall");
    if (!TURN_OPTIONS.includes(turn)) {
      throw new SpinError("bad_argument", `turn is one of ${TURN_OPTIONS.join(", ")}. Received: turn=${String(turn)}`);
    }
    // Both at once: they are the two large downloads.
    const [file] = await Promise.all([fetchModel(model), loadEngine(options.engine)]);
    const metadata = await readMetadata(file);
    const preprocessing = preprocessingOf(metadata);
    const numClasses = [...metadata.charset.characters].length + FIRST_CHARACTER_ID;
    const engine = await Engine.compile(file, preprocessing, numClasses);
    return new SpinRecognizer(engine, metadata, preprocessing, turn);
  }

  /**
   * Reads one word.
   *
   * @param image an image file (anything that the browser decodes), a decoded image, or an element or frame that shows
   *   one.
   * @throws SpinError "not_an_image", "image_too_large", "bad_argument" or "disposed".
   */
  async read(image: ImageSource, options: ReadOptions = {}): Promise<Word> {
    const engine = this.engine;
    if (engine === undefined) {
      throw new SpinError("disposed", "The recogniser was disposed of. Received: a call of read");
    }
    this.running++;
    let close = (): void => {};
    try {
      const opened = await openImage(image);
      close = opened.close;
      const whole = Picture.of(opened.image, checkBox(opened.image, options?.box));
      const picture = cut(whole, this.preprocessing);
      const words: Word[] = [];
      for (const view of turnedViews(picture, this.preprocessing, this.turn)) {
        const { probabilities, positions } = await engine.run(view);
        words.push(decode(this.characters, probabilities, positions, view.turned, picture.box));
      }
      return surest(words);
    } finally {
      close();
      this.running--;
      if (this.running === 0 && this.engine === undefined) {
        engine.delete();
      }
    }
  }

  /** Gives the model's memory back; nothing can be read any more. Words that are being read are read to their end. */
  dispose(): void {
    if (this.running === 0) {
      this.engine?.delete();
    }
    this.engine = undefined;
  }
}
