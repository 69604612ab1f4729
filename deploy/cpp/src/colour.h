// Colours along an axis in place of grey, for ink that differs from its ground in colour only: spin_tf/contract/colour.py.
#ifndef SPIN_COLOUR_H_
#define SPIN_COLOUR_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "contract.h"

namespace spin {

// OpenCV's formula for 8 bits, rounded.
inline int weighted_grey(int red, int green, int blue) {
  using namespace contract;
  return (red * kGreyWeights[0] + green * kGreyWeights[1] + blue * kGreyWeights[2] + (1 << (kGreyShift - 1))) >>
         kGreyShift;
}

// What interpolation looks at in a picture of three channels: each of them apart, in rows of `width` values.
struct Colours {
  std::size_t width;
  std::vector<std::int16_t> channels[3];
};

// Their grey values, 0..255.
std::vector<std::int16_t> grey_values(const Colours& colours);

// Where colours spread along an axis and grey values hardly do, sets them to the places along that axis, 0..255.
void along_colour_axis(const Colours& colours, std::vector<std::int16_t>& grey);

}  // namespace spin

#endif  // SPIN_COLOUR_H_
