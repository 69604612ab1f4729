// From decoded pixels to the input of a model: preprocess of spin_tf/data/preprocessing.py, to the bit.
#ifndef SPIN_PREPROCESSING_H_
#define SPIN_PREPROCESSING_H_

#include "image.h"

namespace spin {

// Writes height x width values in [-1, 1]: grey by OpenCV's formula rounded to uint8, bilinear with half-pixel centres
// and without antialiasing. Only the pixels that the interpolation looks at are turned grey.
void preprocess(const View& view, std::size_t height, std::size_t width, float* output);

}  // namespace spin

#endif  // SPIN_PREPROCESSING_H_
