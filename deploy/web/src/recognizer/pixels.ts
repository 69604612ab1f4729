import { GREY_SHIFT, GREY_WEIGHTS, LIGHT_INK, MAX_IMAGE_BYTES, MAX_PIXELS, VISIBLE_ALPHA } from "./contract";
import { SpinError } from "./errors";

/** A part of an image, in its pixels; whole numbers. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Height and width. */
export type Size = readonly [number, number];

/** Some rows of a picture, RGBA. */
export interface Rows {
  readonly data: Uint8ClampedArray;
  /** Where a row of the picture begins in `data`, counted in pixels; undefined where it is not among these. */
  readonly start: (row: number) => number | undefined;
}

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
  if (file.size > MAX_IMAGE_BYTES) {
    throw new SpinError("image_too_large", `Image files may have up to ${MAX_IMAGE_BYTES} bytes. ${received}`);
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
export function takeRows(image: ImageBitmap | ImageData, box: Box, rows: ArrayLike<number>): Rows {
  const { width } = box;
  if ("data" in image) {
    const start = (row: number): number => (box.y + row) * image.width + box.x;
    return { data: image.data as Uint8ClampedArray, start };
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
  return { data: data as Uint8ClampedArray, start: (row) => starts.get(row) };
}

/** What transparency lies over: white, or black where all that is visible is light, as in spin_tf/data/picture.py. */
export type Ground = 0 | 255;

const SCANNED_PIXELS = 1 << 18;

/** The ground of a part of an image of which some rows were taken: where they are opaque, nothing else is looked at. */
export function groundOf(image: ImageBitmap | ImageData, box: Box, taken: Rows): Ground {
  return isOpaque(taken) ? 255 : lookUnder(image, box);
}

/** What a part of an image that is transparent somewhere lies over; looks at all of it. */
export function lookUnder(image: ImageBitmap | ImageData, box: Box): Ground {
  let visible = false;
  const step = Math.max(1, Math.floor(SCANNED_PIXELS / box.width));
  for (let top = 0; top < box.height; top += step) {
    const count = Math.min(step, box.height - top);
    const strip = takeRows(image, box, counted(count, top));
    for (let row = top; row < top + count; row++) {
      const start = strip.start(row)!;
      for (let at = 4 * start; at < 4 * (start + box.width); at += 4) {
        const alpha = strip.data[at + 3]!;
        const channel = (c: number): number => over(strip.data[at + c]!, alpha, 255);
        if (greyOf(channel(0), channel(1), channel(2)) < LIGHT_INK) {
          return 255;
        }
        visible ||= alpha > VISIBLE_ALPHA;
      }
    }
  }
  return visible ? 0 : 255;
}

/** The whole numbers from a first one on. */
export function counted(length: number, first = 0): Int32Array {
  return Int32Array.from({ length }, (_, i) => first + i);
}

function isOpaque({ data }: Rows): boolean {
  for (let i = 3; i < data.length; i += 4) {
    if (data[i]! < 255) {
      return false;
    }
  }
  return true;
}

/** A channel of a pixel laid over a ground, rounded. */
export function over(value: number, alpha: number, ground: Ground): number {
  return Math.floor((value * alpha + ground * (255 - alpha) + 127) / 255);
}

/** Grey value 0..255 by OpenCV's formula. */
export function greyOf(red: number, green: number, blue: number): number {
  const [redWeight, greenWeight, blueWeight] = GREY_WEIGHTS;
  return (red * redWeight + green * greenWeight + blue * blueWeight + (1 << (GREY_SHIFT - 1))) >> GREY_SHIFT;
}
