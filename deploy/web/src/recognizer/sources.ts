import { MAX_PIXELS } from "./contract";
import { SpinError } from "./errors";
import { decodeImage } from "./pixels";

/**
 * What can be read: an image file, a decoded image, or an element or frame that shows one, of which its own pixels count,
 * whatever its size on the page.
 */
export type ImageSource =
  | Blob
  | ImageBitmap
  | ImageData
  | HTMLImageElement
  | HTMLVideoElement
  | HTMLCanvasElement
  | OffscreenCanvas
  | VideoFrame;

/** An image with its pixels at hand, and what gives its memory back where that is ours. */
export interface Opened {
  readonly image: ImageBitmap | ImageData;
  readonly close: () => void;
}

const KINDS = "a Blob or File, an ImageBitmap, ImageData, an <img>, <video> or canvas, or a VideoFrame";
const nothing = (): void => {};

/**
 * Opens what a page hands over.
 *
 * @throws SpinError "not_an_image", "image_too_large", or "bad_argument" for all that is no image, or one without pixels.
 */
export async function openImage(source: unknown): Promise<Opened> {
  // Not by instanceof: what comes from a frame or another window has classes of its own.
  switch (kindOf(source)) {
    case "Blob":
    case "File":
      return owned(await decodeImage(source as Blob));
    case "ImageData":
      return { image: checkPixels(source as ImageData), close: nothing };
    case "ImageBitmap":
      checkSize(source as ImageBitmap, "an ImageBitmap that was closed");
      return { image: source as ImageBitmap, close: nothing };
    case "HTMLImageElement": {
      const { naturalWidth: width, naturalHeight: height, complete } = source as HTMLImageElement;
      const state = complete
        ? "an <img> without a picture of a size"
        : "an <img> that is loading: await image.decode()";
      checkSize({ width: complete ? width : 0, height }, state);
      return taken(source as HTMLImageElement);
    }
    case "HTMLVideoElement": {
      const { videoWidth: width, videoHeight: height, readyState } = source as HTMLVideoElement;
      checkSize({ width: readyState >= 2 ? width : 0, height }, "a <video> that shows no picture yet");
      return taken(source as HTMLVideoElement);
    }
    case "HTMLCanvasElement":
    case "OffscreenCanvas":
      checkSize(source as OffscreenCanvas, "a canvas without pixels");
      return taken(source as OffscreenCanvas);
    case "VideoFrame": {
      const { displayWidth: width, displayHeight: height } = source as VideoFrame;
      checkSize({ width, height }, "a VideoFrame that was closed");
      return taken(source as VideoFrame);
    }
    default:
      // What looks like ImageData is read as it: the pixels of other libraries.
      if (typeof source === "object" && source !== null && "data" in source) {
        return { image: checkPixels(source as ImageData), close: nothing };
      }
      throw new SpinError("bad_argument", `An image is ${KINDS}. Received: ${shown(source)}`);
  }
}

const kindOf = (source: unknown): string => Object.prototype.toString.call(source).slice(8, -1);

const owned = (bitmap: ImageBitmap): Opened => ({ image: bitmap, close: () => bitmap.close() });

/** The pixels of an element or frame, in its own size. */
async function taken(source: CanvasImageSource & ImageBitmapSource): Promise<Opened> {
  let bitmap: ImageBitmap;
  try {
    bitmap = await createImageBitmap(source, {
      colorSpaceConversion: "none",
      imageOrientation: "from-image",
      premultiplyAlpha: "premultiply",
    });
    if (!(await isReadable(bitmap))) {
      bitmap.close();
      throw new Error("it comes from another place, which does not allow it (CORS)");
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new SpinError("bad_argument", `The pixels cannot be taken: ${why}. Received: ${shown(source)}`, error);
  }
  return owned(bitmap);
}

/** A picture from elsewhere can be drawn, and its pixels not be looked at. */
async function isReadable(bitmap: ImageBitmap): Promise<boolean> {
  const context = new OffscreenCanvas(1, 1).getContext("2d");
  try {
    context?.drawImage(bitmap, 0, 0, 1, 1, 0, 0, 1, 1);
    context?.getImageData(0, 0, 1, 1);
    return true;
  } catch {
    return false;
  }
}

function checkPixels(image: ImageData): ImageData {
  const { data, width, height } = image as { data: unknown; width: unknown; height: unknown };
  const isBytes = ["Uint8ClampedArray", "Uint8Array"].includes(kindOf(data));
  const isSize = [width, height].every((side) => Number.isInteger(side) && (side as number) >= 1);
  if (isSize && (width as number) * (height as number) > MAX_PIXELS) {
    throw new SpinError(
      "image_too_large",
      `Images may have up to ${MAX_PIXELS} pixels. Received: ${width} x ${height}`,
    );
  }
  if (!isBytes || !isSize || (data as Uint8Array).length !== 4 * (width as number) * (height as number)) {
    const length = (data as { length?: unknown } | null | undefined)?.length;
    throw new SpinError(
      "bad_argument",
      "Pixels are red, green, blue and alpha as bytes, 4 * width * height of them. " +
        `Received: ${kindOf(data)} of ${String(length)}, ${String(width)} x ${String(height)}`,
    );
  }
  return image;
}

function checkSize({ width, height }: { width: number; height: number }, state: string): void {
  if (!(width >= 1 && height >= 1)) {
    throw new SpinError("bad_argument", `The image has no pixels. Received: ${state}`);
  }
  if (width * height > MAX_PIXELS) {
    throw new SpinError(
      "image_too_large",
      `Images may have up to ${MAX_PIXELS} pixels. Received: ${width} x ${height}`,
    );
  }
}

/** A value in a few words: an address may be long, and hold a whole picture. */
function shown(value: unknown): string {
  if (typeof value === "string") {
    const start = value.length > 60 ? `${value.slice(0, 57)}...` : value;
    return `the text ${JSON.stringify(start)}; (await fetch(address)).blob() is the image of an address`;
  }
  const kind = kindOf(value);
  return kind.endsWith("Buffer") || kind.endsWith("Array") ? `${kind}; new Blob([bytes]) is its image` : kind;
}
