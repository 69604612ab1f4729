// From decoded pixels to the input of a model: preprocess of spin_tf/contract/preprocessing.py, to the bit.
#ifndef SPIN_PREPROCESSING_H_
#define SPIN_PREPROCESSING_H_

#include <vector>

#include "image.h"
#include "metadata.h"

namespace spin {

// What a model reads: an image of its size, or (`wide`) of its size for wide ones, values in [-1, 1].
struct Input {
  bool wide;
  std::vector<float> values;
};

// A picture as the model of this metadata looks at it: without even ground, where its preprocessing knows that.
View cut(const View& view, const Metadata& metadata);

// What the model reads of a picture that was cut, and then turned or not.
Input prepare(const View& view, const Metadata& metadata);

// Writes height x width values in [-1, 1]: grey by OpenCV's formula rounded to uint8, or (`colour`) the places of
// colours along an axis where grey hardly differs; bilinear with half-pixel centres and without antialiasing. Only the
// pixels that the interpolation looks at are converted.
void preprocess(const View& view, std::size_t height, std::size_t width, bool colour, float* output);

}  // namespace spin

#endif  // SPIN_PREPROCESSING_H_
