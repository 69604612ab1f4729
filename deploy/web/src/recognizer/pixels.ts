import { SpinError } from "./errors";

/** What can be read: an image file, or a decoded image. */
export type ImageSource = Blob | ImageBitmap | ImageData;

/** A part of an image, in its pixels; whole numbers. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Some rows of a picture, RGBA. */
export interface Rows {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
  /** Where a row of the picture begins in `data`, counted in pixels. */
  start(row: number): number;
}

// The limits of spin_tf/data/preprocessing.py.
const MAX_PIXELS = 64_000_000;
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Decodes an image file as spin_tf does: rotated as its EXIF data say, colour profiles left alone.
 *
 * @throws SpinError "not_an_image" or "image_too_large".
 */
export async function decodeImage(file: Blob): Promise<ImageBitmap> {
  const received = `Received: ${file.size} bytes of type ${JSON.stringify(file.type)}`;
  if (file.size === 0) {
    throw new SpinError("not_an_image", `The image file is empty. ${received}`);
  }
  if (file.size > MAX_BYTES) {
    throw new SpinError("image_too_large", `Image files may have up to ${MAX_BYTES} bytes. ${received}`);
  }
  let bitmap: ImageBitmap;
  try {
    // The decoder multiplies colours with alpha exactly; where alpha is left apart, drawing does it, and rounds less well.
    bitmap = await createImageBitmap(file, {
      colorSpaceConversion: "none",
      imageOrientation: "from-image",
      premultiplyAlpha: "premultiply",
    });
  } catch (error) {
    throw new SpinError("not_an_image", `Not an image that this browser can decode. ${received}`, error);
  }
  if (bitmap.width * bitmap.height > MAX_PIXELS) {
    const size = `${bitmap.width} x ${bitmap.height}`;
    bitmap.close();
    throw new SpinError("image_too_large", `Images may have up to ${MAX_PIXELS} pixels. Received: ${size}`);
  }
  return bitmap;
}

/** The part of an image that is to be read; the whole image without a box. */
export function checkBox(image: { width: number; height: number }, box: Box | undefined): Box {
  const { width, height } = image;
  if (box === undefined) {
    return { x: 0, y: 0, width, height };
  }
  const sides = [box.x, box.y, box.width, box.height];
  const inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
  if (!sides.every(Number.isInteger) || box.width < 1 || box.height < 1 || !inside) {
    throw new SpinError(
      "bad_argument",
      `A box has whole numbers and lies inside the image, ${width} x ${height}. Received: box=${JSON.stringify(box)}`,
    );
  }
  return box;
}

/**
 * Takes rows of an image, and no more: a photograph of 48 megapixels would need 192 MB as a whole.
 *
 * @param rows distinct, ascending, counted from the top of the box.
 */
export function takeRows(image: ImageBitmap | ImageData, box: Box, rows: readonly number[]): Rows {
  const { width, height } = box;
  if ("data" in image) {
    const start = (row: number): number => (box.y + row) * image.width + box.x;
    return { width, height, data: image.data as Uint8ClampedArray, start };
  }
  const canvas = new OffscreenCanvas(width, rows.length);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  if (context === null) {
    throw new SpinError("image_too_large", `The browser gives no canvas. Received: ${width} x ${rows.length} pixels`);
  }
  context.imageSmoothingEnabled = false;
  const starts = new Map<number, number>();
  for (let first = 0; first < rows.length;) {
    let count = 1;
    while (rows[first + count] === rows[first]! + count) {
      count++;
    }
    context.drawImage(image, box.x, box.y + rows[first]!, width, count, 0, first, width, count);
    for (let i = first; i < first + count; i++) {
      starts.set(rows[i]!, i * width);
    }
    first += count;
  }
  const { data } = context.getImageData(0, 0, width, rows.length);
  return { width, height, data: data as Uint8ClampedArray, start: (row) => starts.get(row)! };
}
