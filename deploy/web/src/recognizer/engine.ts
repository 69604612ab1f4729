import { type CompiledModel, loadAndCompile, loadLiteRt, type SignatureRunner, Tensor } from "@litertjs/core";

import { SpinError } from "./errors";
import { engineFile } from "./engine_file";
import type { Size } from "./pixels";
import type { Input, Preprocessing } from "./preprocess";

/** Exported files may carry further signatures (batch, encode, step), in any order: these read one image. */
const SIGNATURE = "serving_default";
const WIDE_SIGNATURE = "serving_default_wide";

/** LiteRT keeps one engine for a page. */
let engine: Promise<unknown> | undefined;

/** Loads LiteRT's WebAssembly, by default from `litert/` beside this module; once for a page, and after a failure again. */
export async function loadEngine(from: string | URL = new URL("litert/", import.meta.url)): Promise<void> {
  const folder = new URL(from, document.baseURI);
  if (!folder.pathname.endsWith("/")) {
    folder.pathname += "/";
  }
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

/** Compiles a whole `.tflite` file; throws SpinError "model_invalid". */
export async function compile(file: Uint8Array): Promise<CompiledModel> {
  try {
    // On one thread: the steps of the decoder are small, and threads would need special headers from the server.
    return await loadAndCompile(file, { accelerator: "wasm", cpuOptions: { numThreads: 1 } });
  } catch (error) {
    throw new SpinError("model_invalid", `LiteRT cannot load the model. Received: ${file.length} bytes`, error);
  }
}

/** What a signature takes and gives: "float32 1,32,100,1" by the names of its tensors. */
export function tensorsOf(runner: SignatureRunner | undefined): Map<string, string> {
  const details = [...(runner?.getInputDetails() ?? []), ...(runner?.getOutputDetails() ?? [])];
  return new Map(details.map(({ name, dtype, shape }) => [name, `${dtype} ${[...shape]}`]));
}

/** Runs a signature whose input is called `image`; the outputs that are asked for, by name. */
export async function call<Name extends string>(
  runner: SignatureRunner,
  image: Float32Array<ArrayBuffer>,
  shape: number[],
  names: readonly Name[],
): Promise<Record<Name, Float32Array>> {
  const tensor = new Tensor(image, shape);
  let outputs: Record<string, Tensor> = {};
  try {
    outputs = await runner.run({ image: tensor });
    const values = names.map((name) => [name, outputs[name]!.toTypedArray() as Float32Array] as const);
    return Object.fromEntries(values) as Record<Name, Float32Array>;
  } finally {
    // LiteRT's memory is not collected.
    tensor.delete();
    for (const output of Object.values(outputs)) {
      output.delete();
    }
  }
}

/** A signature that reads one image, and the shape of that. */
interface Reader {
  readonly runner: SignatureRunner;
  readonly shape: number[];
}

/** A compiled model that reads images of one size, or of two. */
export class Engine {
  private constructor(
    private readonly model: CompiledModel,
    private readonly plain: Reader,
    private readonly wide: Reader | undefined,
  ) {}

  /**
   * @param file a whole `.tflite` file.
   * @param preprocessing the sizes of its inputs.
   * @param numClasses what the probabilities must have.
   * @throws SpinError "model_invalid".
   */
  static async compile(file: Uint8Array, { size, wideSize }: Preprocessing, numClasses: number): Promise<Engine> {
    const model = await compile(file);
    try {
      const wide = wideSize ? readerOf(model, WIDE_SIGNATURE, wideSize, numClasses) : undefined;
      return new Engine(model, readerOf(model, SIGNATURE, size, numClasses), wide);
    } catch (error) {
      model.delete();
      throw error;
    }
  }

  /**
   * Runs one image through the model: probabilities (steps * classes) and positions (steps).
   *
   * LiteRT makes the room for wide images with the first of them.
   */
  async run({ values, isWide }: Input): Promise<{ probabilities: Float32Array; positions: Float32Array }> {
    const { runner, shape } = isWide ? this.wide! : this.plain;
    return call(runner, values, shape, ["probabilities", "positions"]);
  }

  delete(): void {
    this.model.delete();
  }
}

/** A signature, checked against what the metadata say: how many steps it makes is its own affair. */
function readerOf(model: CompiledModel, signature: string, size: Size, numClasses: number): Reader {
  const runner = model.signatures[signature];
  const shape = [1, ...size, 1];
  const tensors = tensorsOf(runner);
  const found = ["image", "probabilities", "positions"].map((name) => tensors.get(name));
  const steps = tensors.get("positions")?.split(",").at(-1);
  const wanted = [`float32 ${shape}`, `float32 1,${steps},${numClasses}`, `float32 1,${steps}`];
  if (!runner || String(found) !== String(wanted)) {
    const signatures = Object.keys(model.signatures);
    throw new SpinError(
      "model_invalid",
      `The signature ${signature} of the model does not read an image of ${size.join(" x ")} into probabilities of ` +
        `${numClasses} classes and positions. Received: signatures=${signatures}; ${found.join("; ")}`,
    );
  }
  return { runner, shape };
}
