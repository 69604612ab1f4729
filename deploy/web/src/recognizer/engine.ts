import { type CompiledModel, loadAndCompile, loadLiteRt, type SignatureRunner, Tensor } from "@litertjs/core";

import { SpinError } from "./errors";
import { engineFile } from "./engine_file";

/** Exported files may carry further signatures (batch, encode, step), in any order: this one reads one image. */
const SIGNATURE = "serving_default";

/** LiteRT keeps one engine for a page. */
let engine: Promise<unknown> | undefined;

/** Loads LiteRT's WebAssembly from a folder; once for a page, and again after a failure. */
export async function loadEngine(folder: URL): Promise<void> {
  if (typeof WebAssembly !== "object") {
    throw new SpinError("no_webassembly", "This browser runs no WebAssembly. Received: typeof WebAssembly=undefined");
  }
  const script = new URL(engineFile(), folder).href;
  if (engine === undefined) {
    // What LiteRT tells about itself, warnings for devices that nobody asked for among it, is for those who look for it.
    Object.assign(globalThis, { Module: { print: console.debug, printErr: console.debug } });
    engine = loadLiteRt(script);
  }
  try {
    await engine;
  } catch (error) {
    engine = undefined;
    throw new SpinError("engine_failed", `LiteRT's WebAssembly cannot be loaded. Received: ${script}`, error);
  }
}

/** A compiled model, called by the name of its signature. */
export class Engine {
  private constructor(
    private readonly model: CompiledModel,
    private readonly runner: SignatureRunner,
    private readonly shape: number[],
  ) {}

  /**
   * @param file a whole `.tflite` file.
   * @param imageSize height and width of the input.
   * @param numClasses what the probabilities must have.
   * @throws SpinError "model_invalid".
   */
  static async compile(file: Uint8Array, imageSize: readonly [number, number], numClasses: number): Promise<Engine> {
    let model: CompiledModel;
    try {
      // On one thread: the steps of the decoder are small, and threads would need special headers from the server.
      model = await loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
    } catch (error) {
      throw new SpinError("model_invalid", `LiteRT cannot load the model. Received: ${file.length} bytes`, error);
    }
    const runner = model.signatures[SIGNATURE];
    const shape = [1, ...imageSize, 1];
    const tensors = new Map(
      [...(runner?.getInputDetails() ?? []), ...(runner?.getOutputDetails() ?? [])].map((detail) => [
        detail.name,
        detail,
      ]),
    );
    const found = ["image", "probabilities", "positions"].map((name) => {
      const detail = tensors.get(name);
      return detail && `${detail.dtype} ${[...detail.shape]}`;
    });
    const steps = tensors.get("positions")?.shape.at(-1);
    const wanted = [`float32 ${shape}`, `float32 1,${steps},${numClasses}`, `float32 1,${steps}`];
    if (!runner || String(found) !== String(wanted)) {
      const signatures = Object.keys(model.signatures);
      model.delete();
      throw new SpinError(
        "model_invalid",
        `The model does not read an image of ${imageSize.join(" x ")} into probabilities of ${numClasses} classes and ` +
          `positions. Received: signatures=${signatures}; ${found.join("; ")}`,
      );
    }
    return new Engine(model, runner, shape);
  }

  /** Runs one image (height * width) through the model: probabilities (steps * classes) and positions (steps). */
  async run(image: Float32Array<ArrayBuffer>): Promise<{ probabilities: Float32Array; positions: Float32Array }> {
    const tensor = new Tensor(image, this.shape);
    let outputs: Record<string, Tensor> = {};
    try {
      outputs = await this.runner.run({ image: tensor });
      return {
        probabilities: outputs["probabilities"]!.toTypedArray() as Float32Array,
        positions: outputs["positions"]!.toTypedArray() as Float32Array,
      };
    } finally {
      // LiteRT's memory is not collected.
      tensor.delete();
      for (const output of Object.values(outputs)) {
        output.delete();
      }
    }
  }

  delete(): void {
    this.model.delete();
  }
}
