// A picture in a detector's input, bilinear as Pillow does it, to the bit.
#ifndef SPIN_LETTERBOX_H_
#define SPIN_LETTERBOX_H_

#include <vector>

#include "image.h"

namespace spin {

// Resizes to rows x columns in the top left corner of height x width; red, green, blue, 0..255, the rest black.
std::vector<float> letterbox(const View& view, std::size_t rows, std::size_t columns, std::size_t height,
                             std::size_t width);

}  // namespace spin

#endif  // SPIN_LETTERBOX_H_
