"""The numbers of the contract, each in this place alone: whole numbers, texts, and tuples of them.

`tools/generate_contract.py` writes them, with the comments above them, to deploy/cpp/src/contract.h and
deploy/web/src/recognizer/contract.ts.
"""

# The newest preprocessing, which new models are written for; readers know this one and those before it, from 1 on.
PREPROCESSING = 2
# Files without the key `preprocessing` are of this number.
FIRST_PREPROCESSING = 1

# What OpenCV multiplies red, green and blue of 8 bits with, in units of 2 ** -GREY_SHIFT.
GREY_WEIGHTS = (9798, 19235, 3735)
GREY_SHIFT = 15
# Where all that is visible is at least this light, transparency lies over black: white ink would vanish on white.
LIGHT_INK = 192
# Something is visible where a pixel is more opaque than this.
VISIBLE_ALPHA = 127

# Even ground is cut off. Sampled are this many rows and columns at most.
GROUND_ROWS = 128
GROUND_COLUMNS = 512
# Pictures with a side below this stay whole.
GROUND_MIN_SIDE = 4
# A line is even ground where no pixel deviates from its middle colour by more than a share of the largest deviation,
# within these bounds; the outermost line by no more than the upper bound.
GROUND_DIVISOR = 5
GROUND_MIN_DEVIATION = 8
GROUND_MAX_DEVIATION = 40
# What is left gets a margin of its height by this.
MARGIN_DIVISOR = 5
# It counts where it is smaller than these shares (over, under) of the width or of the height.
CUT_WIDTH = (4, 5)
CUT_HEIGHT = (7, 10)

# From this height by width (over, under) on, a crop is read turned by a quarter, too.
TALL = (3, 2)
# Degrees counter-clockwise, in the order in which the first of equally sure readings counts.
TURNS = (0, 90, -90, 180)

# Wider than this many times its height, a view is read at `wide_image_size`, where the model has it.
WIDE_ASPECT = 5

# Colours are read along an axis in place of grey where they spread along it by at least this many times the variance of
# the grey values, and by at least this variance.
COLOUR_RATIO = 16
COLOUR_MIN_VARIANCE = 100
# The axes, weights of red, green and blue; the first of those with the largest variance counts.
COLOUR_DIRECTIONS = (
    (1, 0, 0),
    (0, 1, 0),
    (0, 0, 1),
    (1, 1, 0),
    (1, 0, 1),
    (0, 1, 1),
    (1, -1, 0),
    (1, 0, -1),
    (0, 1, -1),
    (1, 1, 1),
    (1, 1, -1),
    (1, -1, 1),
    (1, -1, -1),
)
# Divisible by the squared lengths of all axes, so that variances along them compare as whole numbers.
COLOUR_UNIT = 6

# Classes of a model: start and padding, end, then the characters of its charset in order.
START_ID = 0
PADDING_ID = 0
END_ID = 1
FIRST_CHARACTER_ID = 2

# What a model says about itself, and its version of that.
METADATA_FILE = "spin_tf.json"
METADATA_FORMAT = 1
# What every model says; a detector says `kind`.
METADATA_KEYS = ("charset", "image_size", "max_length")
DETECTOR_KIND = "detector"
# Charsets of all of Unicode stay far below; what unpacks to more is no metadata.
METADATA_MAX_BYTES = 16777216
# Of `image_size`, `wide_image_size` and `max_length`, each at least 1; of the sizes of a detector.
MAX_SIDE = 4096
MAX_LENGTH = 1000
MAX_DETECTOR_SIDE = 8192

# Image files of more bytes, and images of more pixels, are refused.
MAX_IMAGE_BYTES = 268435456
MAX_PIXELS = 64000000
