import type { CompiledModel, SignatureRunner } from "@litertjs/core";

import { call, compile, loadEngine, tensorsOf } from "./engine";
import { SpinError } from "./errors";
import { fetchModel } from "./fetch_model";
import { type DetectorMetadata, readDetectorMetadata } from "./metadata";
import type { Size } from "./pixels";
import { letterbox } from "./resize";
import { findQuadrilaterals, type Place, type Quadrilateral } from "./text_map";

/** Words that are lower in the picture cannot be read. */
const LOWEST = 3;

/** The twin of spin_tf/photo/litert_detector.py: finds words with a file of bin/convert_detector.py. */
export class SpinDetector {
  /** Which signature the model has run: each takes memory of its own for good, so that there is a model for one. */
  private key: string | undefined;
  /** Pictures wait for each other. */
  private last: Promise<unknown> = Promise.resolve();

  private constructor(
    private model: CompiledModel | undefined,
    private readonly file: Uint8Array,
    readonly metadata: DetectorMetadata,
  ) {}

  /**
   * @param model where the `.tflite` file lies, or its bytes.
   * @throws SpinError "no_webassembly", "engine_failed", "model_missing" or "model_invalid".
   */
  static async load(
    model: string | URL | ArrayBuffer | Uint8Array,
    options: { readonly engine?: string | URL } = {},
  ): Promise<SpinDetector> {
    const file = await fetchModel(model);
    // Before the engine, which is large and does not tell what the file is.
    const metadata = await readDetectorMetadata(file);
    await loadEngine(options.engine);
    const compiled = await compile(file);
    for (const [key, size] of Object.entries(metadata.sizes)) {
      const tensors = tensorsOf(compiled.signatures[key]);
      const found = ["image", "probabilities"].map((name) => tensors.get(name));
      if (String(found) !== String([`float32 1,${size},3`, `float32 1,${size}`])) {
        compiled.delete();
        throw new SpinError(
          "model_invalid",
          `The signature ${key} of the detector is not what its spin_tf.json says. Received: ${found.join("; ")}`,
        );
      }
    }
    return new SpinDetector(compiled, file, metadata);
  }

  /**
   * Finds the words of a picture.
   *
   * @returns their places in pixels of the picture, (0, 0) at the outer corner of the first one.
   * @throws SpinError "disposed".
   */
  find(image: ImageBitmap | ImageData): Promise<Place[]> {
    return this.next(() => this.findNow(image));
  }

  private async findNow(image: ImageBitmap | ImageData): Promise<Place[]> {
    const { width, height } = image;
    const { key, rows, columns } = place(height, width, this.metadata.sizes);
    const size = this.metadata.sizes[key]!;
    const { probabilities } = await call(
      await this.runner(key),
      letterbox(image, rows, columns, size),
      [1, ...size, 3],
      ["probabilities"],
    );
    return findQuadrilaterals(probabilities, rows, columns, size[1]).flatMap(({ corners, score }) => {
      const moved = corners.map((value, i) => {
        const [scale, limit] = i % 2 === 0 ? [width / columns, width] : [height / rows, height];
        return Math.min(Math.max(value * scale, 0), limit);
      }) as unknown as Quadrilateral;
      const [x, y] = moved;
      const shorter = Math.min(Math.hypot(moved[2] - x, moved[3] - y), Math.hypot(moved[6] - x, moved[7] - y));
      return shorter > LOWEST ? [{ corners: moved, score }] : [];
    });
  }

  /** Gives the detector's memory back. */
  dispose(): void {
    void this.next(async () => {
      this.model?.delete();
      this.model = undefined;
    });
  }

  private next<T>(step: () => Promise<T>): Promise<T> {
    const result = this.last.then(step);
    this.last = result.catch(() => undefined);
    return result;
  }

  private async runner(key: string): Promise<SignatureRunner> {
    if (this.model === undefined) {
      throw new SpinError("disposed", "The detector was disposed of. Received: a call of find");
    }
    if (this.key !== undefined && this.key !== key) {
      const another = compile(this.file);
      this.model.delete();
      this.model = undefined;
      this.model = await another;
    }
    this.key = key;
    return this.model.signatures[key]!;
  }
}

/** Where a picture goes: to the input in which it is largest, and of equal ones to the smallest. */
export function place(
  height: number,
  width: number,
  sizes: Readonly<Record<string, Size>>,
): { key: string; rows: number; columns: number } {
  let best = { key: "", scale: 0, pixels: Infinity };
  for (const [key, [rows, columns]] of Object.entries(sizes)) {
    const scale = Math.min(rows / height, columns / width);
    const pixels = rows * columns;
    if (scale > best.scale || (scale === best.scale && pixels < best.pixels)) {
      best = { key, scale, pixels };
    }
  }
  const sized = (length: number): number => Math.max(Math.floor(length * best.scale + 0.5), 1);
  return { key: best.key, rows: sized(height), columns: sized(width) };
}
