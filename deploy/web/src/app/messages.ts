import { SpinError, type SpinErrorCode } from "../recognizer";
import { byId, make } from "./dom";

/** What went wrong and what to do about it, for people; the console keeps the rest. */
const BY_CODE: Partial<Record<SpinErrorCode, string>> = {
  no_webassembly:
    "This browser does not run WebAssembly, which does the reading. A current browser does; some turn it off in a strict mode.",
  engine_failed: "The reading engine could not be loaded. Check the connection and load the page again.",
  model_missing:
    "The model file is missing. Check the connection and load the page again; who runs this page should know.",
  model_invalid:
    "The model file is damaged or of another version. Load the page again; who runs this page should know.",
  not_an_image: "That is not a picture this browser can open. JPEG, PNG, WebP and GIF work everywhere.",
  image_too_large: "That picture is too large: 64 megapixels and 256 MB are the limit.",
};

const BY_NAME: Record<string, string> = {
  NotAllowedError: "The camera was refused. Allow it in the browser's settings for this page, or choose a picture.",
  NotFoundError: "No camera was found. Choose a picture instead.",
  NotReadableError: "The camera is busy with something else. Close that, or choose a picture.",
  OverconstrainedError: "No camera was found. Choose a picture instead.",
};

export const NO_PICTURE = "There is no picture in what was dropped or pasted. Copy or drop a picture file itself.";
export const NO_PASTE_BUTTON = "This browser lets a page paste only by keyboard: press Ctrl + V, or ⌘ V on a Mac.";
export const NO_SECURE_CAMERA = "The camera works only where the page is served over HTTPS. Choose a picture instead.";

/** @param file the name of the file that it went wrong with, if it was one. */
export function explain(error: unknown, file = ""): string {
  console.error(error);
  const about = file === "" ? "" : `${file}: `;
  if (error instanceof SpinError) {
    return about + (BY_CODE[error.code] ?? error.message);
  }
  const name = error instanceof DOMException ? error.name : "";
  const text = BY_NAME[name] ?? `Something went wrong: ${error instanceof Error ? error.message : String(error)}`;
  return about + text;
}

/** The name of a picture that came as a file. */
export function fileName(picture: Blob): string {
  return picture instanceof File ? picture.name : "";
}

/** Says what went wrong, aloud too, until the next thing works. */
export function showError(text: string): void {
  const close = make("button", { type: "button", className: "button plain", textContent: "Close" });
  close.addEventListener("click", clearError);
  byId("alert").replaceChildren(make("div", { className: "warning" }, [make("p", {}, [text]), close]));
}

export function clearError(): void {
  byId("alert").replaceChildren();
}

/** Says what happened, to those who cannot see it too. */
export function say(text: string): void {
  byId("status").textContent = text;
}
