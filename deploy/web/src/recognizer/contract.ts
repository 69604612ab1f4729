/**
 * The numbers of the reading contract.
 * Written by tools/generate_contract.py from spin_tf/contract/constants.py; change them there.
 */

// The newest preprocessing, which new models are written for; readers know this one and those before it, from 1 on.
export const PREPROCESSING = 2;

// Files without the key `preprocessing` are of this number.
export const FIRST_PREPROCESSING = 1;

// What OpenCV multiplies red, green and blue of 8 bits with, in units of 2 ** -GREY_SHIFT.
export const GREY_WEIGHTS = [9798, 19235, 3735] as const;
export const GREY_SHIFT = 15;

// Where all that is visible is at least this light, transparency lies over black: white ink would vanish on white.
export const LIGHT_INK = 192;

// Something is visible where a pixel is more opaque than this.
export const VISIBLE_ALPHA = 127;

// Even ground is cut off. Sampled are this many rows and columns at most.
export const GROUND_ROWS = 128;
export const GROUND_COLUMNS = 512;

// Pictures with a side below this stay whole.
export const GROUND_MIN_SIDE = 4;

// A line is even ground where no pixel deviates from its middle colour by more than a share of the largest deviation,
// within these bounds; the outermost line by no more than the upper bound.
export const GROUND_DIVISOR = 5;
export const GROUND_MIN_DEVIATION = 8;
export const GROUND_MAX_DEVIATION = 40;

// What is left gets a margin of its height by this.
export const MARGIN_DIVISOR = 5;

// It counts where it is smaller than these shares (over, under) of the width or of the height.
export const CUT_WIDTH = [4, 5] as const;
export const CUT_HEIGHT = [7, 10] as const;

// From this height by width (over, under) on, a crop is read turned by a quarter, too.
export const TALL = [3, 2] as const;

// Degrees counter-clockwise, in the order in which the first of equally sure readings counts.
export const TURNS = [0, 90, -90, 180] as const;

// Wider than this many times its height, a view is read at `wide_image_size`, where the model has it.
export const WIDE_ASPECT = 5;

// Colours are read along an axis in place of grey where they spread along it by at least this many times the variance of
// the grey values, and by at least this variance.
export const COLOUR_RATIO = 16;
export const COLOUR_MIN_VARIANCE = 100;

// The axes, weights of red, green and blue; the first of those with the largest variance counts.
export const COLOUR_DIRECTIONS = [
  [1, 0, 0],
  [0, 1, 0],
  [0, 0, 1],
  [1, 1, 0],
  [1, 0, 1],
  [0, 1, 1],
  [1, -1, 0],
  [1, 0, -1],
  [0, 1, -1],
  [1, 1, 1],
  [1, 1, -1],
  [1, -1, 1],
  [1, -1, -1],
] as const;

// Divisible by the squared lengths of all axes, so that variances along them compare as whole numbers.
export const COLOUR_UNIT = 6;

// Classes of a model: start and padding, end, then the characters of its charset in order.
export const START_ID = 0;
export const PADDING_ID = 0;
export const END_ID = 1;
export const FIRST_CHARACTER_ID = 2;

// What a model says about itself, and its version of that.
export const METADATA_FILE = "spin_tf.json";
export const METADATA_FORMAT = 1;

// What every model says; a detector says `kind`.
export const METADATA_KEYS = ["charset", "image_size", "max_length"] as const;
export const DETECTOR_KIND = "detector";

// Charsets of all of Unicode stay far below; what unpacks to more is no metadata.
export const METADATA_MAX_BYTES = 16777216;

// Of `image_size`, `wide_image_size` and `max_length`, each at least 1; of the sizes of a detector.
export const MAX_SIDE = 4096;
export const MAX_LENGTH = 1000;
export const MAX_DETECTOR_SIDE = 8192;

// Image files of more bytes, and images of more pixels, are refused.
export const MAX_IMAGE_BYTES = 268435456;
export const MAX_PIXELS = 64000000;
