/** What can go wrong, by name: pages translate the code, logs show the message. */
export type SpinErrorCode =
  | "no_webassembly"
  | "engine_failed"
  | "model_missing"
  | "model_invalid"
  | "not_an_image"
  | "image_too_large"
  | "bad_argument"
  | "disposed";

/** Every error that the recogniser throws on purpose. */
export class SpinError extends Error {
  override readonly name = "SpinError";

  constructor(
    readonly code: SpinErrorCode,
    message: string,
    cause?: unknown,
  ) {
    super(message, cause === undefined ? undefined : { cause });
  }
}
