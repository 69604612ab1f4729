import {
  DETECTOR_KIND,
  FIRST_PREPROCESSING,
  MAX_DETECTOR_SIDE,
  MAX_LENGTH,
  MAX_SIDE,
  METADATA_FILE,
  METADATA_FORMAT,
  METADATA_MAX_BYTES,
  PREPROCESSING,
} from "./contract";
import { SpinError } from "./errors";
import type { Size } from "./pixels";

// Of each record of a zip archive: its first four bytes, read as a little-endian number, and the size of its fixed part.
const END = { magic: 0x06054b50, size: 22 };
const ENTRY = { magic: 0x02014b50, size: 46 };
const LOCAL = { magic: 0x04034b50, size: 30 };
const STORED = 0;
const DEFLATED = 8;
const LONGEST_COMMENT = 0xffff;

/** What a model says about itself: the `spin_tf.json` that every exported file carries. */
export interface ModelMetadata {
  readonly format: number;
  readonly name?: string;
  readonly spin_tf_version?: string;
  readonly quantization?: string;
  readonly charset: { readonly characters: string; readonly fold_case?: boolean; readonly name?: string };
  /** Height and width of the model's input. */
  readonly image_size: Size;
  /** The same for views wider than five times their height, where the model has one for them. */
  readonly wide_image_size?: Size | null;
  /** Which rules crops are prepared by; files without it are of number 1. */
  readonly preprocessing?: number;
  readonly max_length: number;
  readonly [key: string]: unknown;
}

/** What a detector's file says about itself. */
export interface DetectorMetadata {
  readonly format: number;
  readonly kind: "detector";
  readonly name?: string;
  /** Height and width of the inputs, by signature. */
  readonly sizes: Readonly<Record<string, Size>>;
  readonly [key: string]: unknown;
}

/**
 * Reads what an exported `.tflite` file says about itself, from the zip archive at its end.
 *
 * @throws SpinError "model_invalid": no metadata of spin_tf, of a newer format, or damaged ones.
 */
export async function readMetadata(file: Uint8Array): Promise<ModelMetadata> {
  return parseMetadata(await readArchived(file, "so its charset is unknown; export it with bin/export_tflite.py"));
}

/**
 * Reads what a detector's file says about itself.
 *
 * @throws SpinError "model_invalid": it is no detector of spin_tf, or a damaged one.
 */
export async function readDetectorMetadata(file: Uint8Array): Promise<DetectorMetadata> {
  const missing = "so it is no detector of spin_tf; bin/convert_detector.py writes them";
  const metadata = parseTable(await readArchived(file, missing));
  if (metadata["kind"] !== DETECTOR_KIND) {
    throw invalid("is that of a model, no detector", metadata["kind"] ?? "no kind");
  }
  const { sizes } = metadata;
  const sides = isTable(sizes) ? Object.values(sizes) : [];
  if (sides.length === 0 || !sides.every((size) => isSize(size, MAX_DETECTOR_SIDE))) {
    throw invalid("names no sizes, signatures with height and width", sizes);
  }
  return metadata as unknown as DetectorMetadata;
}

async function readArchived(file: Uint8Array, consequence: string): Promise<ArrayBuffer> {
  try {
    return await unzip(file, METADATA_FILE);
  } catch (error) {
    throw new SpinError(
      "model_invalid",
      `The model carries no ${METADATA_FILE} that can be read, ${consequence}. Received: a file of ${file.length} bytes`,
      error,
    );
  }
}

/** Checks the `spin_tf.json` of a model, as spin_tf/contract/metadata.py does; unknown keys are left alone. */
export function parseMetadata(content: ArrayBuffer): ModelMetadata {
  const metadata = parseTable(content);
  if (metadata["kind"] === DETECTOR_KIND) {
    throw invalid("is that of a detector, which finds words and reads none", metadata["kind"]);
  }
  const { preprocessing = FIRST_PREPROCESSING, charset, image_size: size, max_length: length } = metadata;
  if (!isCount(preprocessing, PREPROCESSING)) {
    const known = Array.from({ length: PREPROCESSING }, (_, i) => i + 1).join(" and ");
    throw new SpinError(
      "model_invalid",
      `The model was written for preprocessing ${short(preprocessing)}; this spin_tf knows ${known}: update spin_tf. ` +
        `Received: preprocessing=${short(preprocessing)}`,
    );
  }
  const characters = isTable(charset) ? charset["characters"] : undefined;
  if (typeof characters !== "string" || characters === "" || new Set(characters).size !== [...characters].length) {
    throw invalid("has no charset that holds each character once", charset);
  }
  if (!isSize(size, MAX_SIDE)) {
    throw invalid("has no image_size, height and width in pixels", size);
  }
  const wideSize = metadata["wide_image_size"] ?? null;
  if (wideSize !== null && !isSize(wideSize, MAX_SIDE)) {
    throw invalid("has a wide_image_size that is not height and width in pixels", wideSize);
  }
  if (!isCount(length, MAX_LENGTH)) {
    throw invalid("has no max_length, a number of characters", length);
  }
  return metadata as unknown as ModelMetadata;
}

/** The keys and values of a `spin_tf.json` of this format, whatever it is about. */
function parseTable(content: ArrayBuffer): Record<string, unknown> {
  let metadata: unknown;
  try {
    metadata = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(content));
  } catch (error) {
    throw new SpinError("model_invalid", `The ${METADATA_FILE} of the model is no JSON. Received: ${error}`, error);
  }
  if (!isTable(metadata)) {
    throw invalid("is no table of keys", metadata);
  }
  if (metadata["format"] !== METADATA_FORMAT) {
    throw new SpinError(
      "model_invalid",
      `The model was written by another version of spin_tf (${short(metadata["spin_tf_version"])}). ` +
        `Received: format=${short(metadata["format"])}, expected ${METADATA_FORMAT}`,
    );
  }
  return metadata;
}

function isTable(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown, limit: number): boolean {
  return Number.isInteger(value) && (value as number) >= 1 && (value as number) <= limit;
}

function isSize(value: unknown, limit: number): boolean {
  return Array.isArray(value) && value.length === 2 && value.every((side) => isCount(side, limit));
}

function invalid(what: string, received: unknown): SpinError {
  return new SpinError("model_invalid", `The ${METADATA_FILE} of the model ${what}. Received: ${short(received)}`);
}

function short(value: unknown): string {
  return String(JSON.stringify(value)).slice(0, 100);
}

/** The content of one file of a zip archive that other bytes may precede. */
async function unzip(file: Uint8Array, name: string): Promise<ArrayBuffer> {
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const end = findEnd(view);
  const directorySize = view.getUint32(end + 12, true);
  // Writers count offsets from the start of the file or of the archive; the place of the directory tells which.
  const shift = end - directorySize - view.getUint32(end + 16, true);
  let entry = end - directorySize;
  for (let left = view.getUint16(end + 10, true); left > 0; left--) {
    if (view.getUint32(entry, true) !== ENTRY.magic) {
      throw new RangeError("The directory of the archive is broken");
    }
    const nameLength = view.getUint16(entry + 28, true);
    const nameStart = entry + ENTRY.size;
    if (new TextDecoder().decode(file.subarray(nameStart, nameStart + nameLength)) === name) {
      return inflate(file, view, entry, shift);
    }
    entry = nameStart + nameLength + view.getUint16(entry + 30, true) + view.getUint16(entry + 32, true);
  }
  throw new RangeError(`The archive holds no ${name}`);
}

function findEnd(view: DataView): number {
  const last = view.byteLength - END.size;
  for (let position = last; position >= Math.max(0, last - LONGEST_COMMENT); position--) {
    if (view.getUint32(position, true) === END.magic) {
      return position;
    }
  }
  throw new RangeError("No archive at the end of the file");
}

async function inflate(file: Uint8Array, view: DataView, entry: number, shift: number): Promise<ArrayBuffer> {
  const method = view.getUint16(entry + 10, true);
  const size = view.getUint32(entry + 20, true);
  const local = view.getUint32(entry + 42, true) + shift;
  if (view.getUint32(local, true) !== LOCAL.magic) {
    throw new RangeError("The archive is broken");
  }
  const start = local + LOCAL.size + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  const stored = file.slice(start, start + size);
  if (view.getUint32(entry + 24, true) > METADATA_MAX_BYTES) {
    throw new RangeError("The file would unpack to more than metadata need");
  }
  if (method !== STORED && method !== DEFLATED) {
    throw new RangeError(`The archive is compressed in another way: method ${method}`);
  }
  const stream = new Blob([stored]).stream();
  return limited(method === STORED ? stream : stream.pipeThrough(new DecompressionStream("deflate-raw")));
}

/** What a stream gives, whatever its archive says of its size. */
async function limited(stream: ReadableStream<Uint8Array<ArrayBuffer>>): Promise<ArrayBuffer> {
  const parts: Uint8Array<ArrayBuffer>[] = [];
  let size = 0;
  for (const reader = stream.getReader(); ;) {
    const { value, done } = await reader.read();
    if (done) {
      return new Blob(parts).arrayBuffer();
    }
    parts.push(value);
    size += value.length;
    if (size > METADATA_MAX_BYTES) {
      void reader.cancel();
      throw new RangeError("The file unpacks to more than metadata need");
    }
  }
}
