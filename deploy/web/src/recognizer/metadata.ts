import { SpinError } from "./errors";

const METADATA_FILE = "spin_tf.json";
const METADATA_FORMAT = 1;
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
  readonly image_size: readonly [number, number];
  readonly max_length: number;
  readonly [key: string]: unknown;
}

/**
 * Reads what an exported `.tflite` file says about itself, from the zip archive at its end.
 *
 * @throws SpinError "model_invalid": no metadata of spin_tf, or of a newer format.
 */
export async function readMetadata(file: Uint8Array): Promise<ModelMetadata> {
  let metadata: Record<string, unknown>;
  try {
    metadata = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(await unzip(file, METADATA_FILE)));
  } catch (error) {
    throw new SpinError(
      "model_invalid",
      `The model carries no ${METADATA_FILE}, so its charset is unknown; export it with bin/export_tflite.py. ` +
        `Received: a file of ${file.length} bytes`,
      error,
    );
  }
  if (metadata["format"] !== METADATA_FORMAT) {
    throw new SpinError(
      "model_invalid",
      `The model was written by another version of spin_tf (${metadata["spin_tf_version"]}). ` +
        `Received: format=${metadata["format"]}, expected ${METADATA_FORMAT}`,
    );
  }
  const missing = ["charset", "image_size", "max_length"].filter((key) => !(key in metadata));
  if (missing.length > 0) {
    throw new SpinError(
      "model_invalid",
      `The ${METADATA_FILE} of the model misses ${missing.join(", ")}. Received: ${Object.keys(metadata).join(", ")}`,
    );
  }
  return metadata as unknown as ModelMetadata;
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
  const content = new Response(file.slice(start, start + size));
  if (method === STORED) {
    return content.arrayBuffer();
  }
  if (method !== DEFLATED || content.body === null) {
    throw new RangeError(`The archive is compressed in another way: method ${method}`);
  }
  return new Response(content.body.pipeThrough(new DecompressionStream("deflate-raw"))).arrayBuffer();
}
