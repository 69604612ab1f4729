import { SpinError } from "./errors";

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
export const MAX_PIXELS = 64_000_000;
const MAX_BYTES = 256 * 2 ** 20;

/**
 * Decodes an image file as spin_tf does: rotated as its EXIF data say, colour profiles left alone.
 *
 * @throws SpinError "not_an_image", "image_too_large" or "bad_argument".
 */
export async function decodeImage(file: Blob): Promise<ImageBitmap> {
  if (typeof file?.size !== "number") {
    throw new SpinError("bad_argument", `An image file is a Blob or File. Received: ${String(file)}`);
  }
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
export function checkBox(image: { width: number; height: number }, box: Box | null | undefined): Box {
  const { width, height } = image;
  if (box === undefined || box === null) {
    return { x: 0, y: 0, width, height };
  }
  const sides = [box.x, box.y, box.width, box.height];
  const inside = box.x >= 0 && box.y >= 0 && box.x + box.width <= width && box.y + box.height <= height;
  if (!sides.every(Number.isInteger) || box.width < 1 || box.height < 1 || !inside) {
    throw new SpinError(
      "bad_argument",
      `A box has whole numbers and lies inside the image, ${width} x ${height}. Received: box=${sides.map(String)}`,
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

/** What transparency lies over: white, or black where all that is visible is light, as in spin_tf/data/picture.py. */
export type Ground = 0 | 255;

/** Where all that is visible is at least this light, white ink would vanish on white. */
const LIGHT_INK = 192;
const SCANNED_PIXELS = 1 << 18;

/**
 * What a part of an image is to lie over.
 *
 * @param taken rows of it: where they are opaque, the ground shows nowhere, and nothing else is looked at.
 */
export function groundOf(image: ImageBitmap | ImageData, box: Box, taken: Rows): Ground {
  if (isOpaque(taken)) {
    return 255;
  }
  let visible = false;
  const step = Math.max(1, Math.floor(SCANNED_PIXELS / box.width));
  for (let top = 0; top < box.height; top += step) {
    const count = Math.min(step, box.height - top);
    const strip = takeRows(
      image,
      box,
      Array.from({ length: count }, (_, i) => top + i),
    );
    for (let row = top; row < top + count; row++) {
      const start = strip.start(row);
      for (let pixel = start; pixel < start + box.width; pixel++) {
        if (greyOver(strip.data, 4 * pixel, 255) < LIGHT_INK) {
          return 255;
        }
        visible ||= strip.data[4 * pixel + 3]! > 127;
      }
    }
  }
  return visible ? 0 : 255;
}

function isOpaque({ data }: Rows): boolean {
  for (let i = 3; i < data.length; i += 4) {
    if (data[i]! < 255) {
      return false;
    }
  }
  return true;
}

// What OpenCV multiplies red, green and blue with, in units of 2 ** -15.
const [RED, GREEN, BLUE] = [9798, 19235, 3735];
const GREY_SHIFT = 15;
const GREY_HALF = 1 << (GREY_SHIFT - 1);

/** Grey value 0..255 of one RGBA pixel laid over a ground: rounded there, then grey by OpenCV's formula. */
export function greyOver(data: Uint8ClampedArray, at: number, ground: Ground): number {
  const alpha = data[at + 3]!;
  let red = data[at]!;
  let green = data[at + 1]!;
  let blue = data[at + 2]!;
  if (alpha < 255) {
    const rest = ground * (255 - alpha) + 127;
    red = Math.floor((red * alpha + rest) / 255);
    green = Math.floor((green * alpha + rest) / 255);
    blue = Math.floor((blue * alpha + rest) / 255);
  }
  return (red * RED + green * GREEN + blue * BLUE + GREY_HALF) >> GREY_SHIFT;
}
