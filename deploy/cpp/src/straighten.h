// Words cut out of a photograph, straightened by perspective: the twin of spin_tf/data/conversion/cropping.py.
#ifndef SPIN_STRAIGHTEN_H_
#define SPIN_STRAIGHTEN_H_

#include <array>
#include <optional>

#include "image.h"

namespace spin {

using Corners = std::array<double, 8>;

// Moves every side of a rectangle outwards by a share of the shorter one.
Corners widen(const Corners& corners, double margin);

// Cuts a quadrilateral out of a picture, as large as its longer sides but not more than 512 pixels or so; what lies
// outside repeats its border. Nothing where there is nothing to cut.
std::optional<Image> cut_out(const View& view, const Corners& corners);

}  // namespace spin

#endif  // SPIN_STRAIGHTEN_H_
