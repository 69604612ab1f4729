// Even ground around a word, which is cut off before the word is read: spin_tf/contract/ground.py, to the pixel.
#ifndef SPIN_GROUND_H_
#define SPIN_GROUND_H_

#include <optional>

#include "image.h"

namespace spin {

// Rows from `top` to before `bottom`, columns from `left` to before `right`.
struct Box {
  std::size_t top, bottom, left, right;
};

// Where something stands in a picture, with a margin; nothing where that is not much smaller than the picture. Looks at a
// sample of kGroundRows x kGroundColumns pixels at most.
std::optional<Box> ground_box(const View& view);

// That part of the picture, or all of it.
View without_ground(const View& view);

}  // namespace spin

#endif  // SPIN_GROUND_H_
