// The numbers of the reading contract.
// Written by tools/generate_contract.py from spin_tf/contract/constants.py; change them there.
#ifndef SPIN_CONTRACT_H_
#define SPIN_CONTRACT_H_

namespace spin::contract {

// The newest preprocessing, which new models are written for; readers know this one and those before it, from 1 on.
inline constexpr int kPreprocessing = 2;

// Files without the key `preprocessing` are of this number.
inline constexpr int kFirstPreprocessing = 1;

// What OpenCV multiplies red, green and blue of 8 bits with, in units of 2 ** -GREY_SHIFT.
inline constexpr int kGreyWeights[3] = {9798, 19235, 3735};
inline constexpr int kGreyShift = 15;

// Where all that is visible is at least this light, transparency lies over black: white ink would vanish on white.
inline constexpr int kLightInk = 192;

// Something is visible where a pixel is more opaque than this.
inline constexpr int kVisibleAlpha = 127;

// Even ground is cut off. Sampled are this many rows and columns at most.
inline constexpr int kGroundRows = 128;
inline constexpr int kGroundColumns = 512;

// Pictures with a side below this stay whole.
inline constexpr int kGroundMinSide = 4;

// A line is even ground where no pixel deviates from its middle colour by more than a share of the largest deviation,
// within these bounds; the outermost line by no more than the upper bound.
inline constexpr int kGroundDivisor = 5;
inline constexpr int kGroundMinDeviation = 8;
inline constexpr int kGroundMaxDeviation = 40;

// What is left gets a margin of its height by this.
inline constexpr int kMarginDivisor = 5;

// It counts where it is smaller than these shares (over, under) of the width or of the height.
inline constexpr int kCutWidth[2] = {4, 5};
inline constexpr int kCutHeight[2] = {7, 10};

// From this height by width (over, under) on, a crop is read turned by a quarter, too.
inline constexpr int kTall[2] = {3, 2};

// Degrees counter-clockwise, in the order in which the first of equally sure readings counts.
inline constexpr int kTurns[4] = {0, 90, -90, 180};

// Wider than this many times its height, a view is read at `wide_image_size`, where the model has it.
inline constexpr int kWideAspect = 5;

// Colours are read along an axis in place of grey where they spread along it by at least this many times the variance of
// the grey values, and by at least this variance.
inline constexpr int kColourRatio = 16;
inline constexpr int kColourMinVariance = 100;

// The axes, weights of red, green and blue; the first of those with the largest variance counts.
inline constexpr int kColourDirections[13][3] = {
  {1, 0, 0},
  {0, 1, 0},
  {0, 0, 1},
  {1, 1, 0},
  {1, 0, 1},
  {0, 1, 1},
  {1, -1, 0},
  {1, 0, -1},
  {0, 1, -1},
  {1, 1, 1},
  {1, 1, -1},
  {1, -1, 1},
  {1, -1, -1},
};

// Divisible by the squared lengths of all axes, so that variances along them compare as whole numbers.
inline constexpr int kColourUnit = 6;

// Classes of a model: start and padding, end, then the characters of its charset in order.
inline constexpr int kStartId = 0;
inline constexpr int kPaddingId = 0;
inline constexpr int kEndId = 1;
inline constexpr int kFirstCharacterId = 2;

// What a model says about itself, and its version of that.
inline constexpr const char* kMetadataFile = "spin_tf.json";
inline constexpr int kMetadataFormat = 1;

// What every model says; a detector says `kind`.
inline constexpr const char* kMetadataKeys[3] = {"charset", "image_size", "max_length"};
inline constexpr const char* kDetectorKind = "detector";

// Charsets of all of Unicode stay far below; what unpacks to more is no metadata.
inline constexpr int kMetadataMaxBytes = 16777216;

// Of `image_size`, `wide_image_size` and `max_length`, each at least 1; of the sizes of a detector.
inline constexpr int kMaxSide = 4096;
inline constexpr int kMaxLength = 1000;
inline constexpr int kMaxDetectorSide = 8192;

// Image files of more bytes, and images of more pixels, are refused.
inline constexpr int kMaxImageBytes = 268435456;
inline constexpr int kMaxPixels = 64000000;

}  // namespace spin::contract

#endif  // SPIN_CONTRACT_H_
