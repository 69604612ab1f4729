// From the map of a text detector to the rectangles of its words: the twin of spin_tf/photo/text_map.py.
#ifndef SPIN_TEXT_MAP_H_
#define SPIN_TEXT_MAP_H_

#include <cstddef>
#include <vector>

#include "spin/photo.h"

namespace spin {

struct MapOptions {
  float threshold = 0.3f;
  double box_threshold = 0.5;
  double unclip = 1.5;
  double min_side = 3;
};

// map: rows of `stride` values, of which the first `width` count. Places are in pixels of the map, parts of them outside
// of it, from its top down by where the regions begin. See the twin for what each step is.
std::vector<Place> find_quadrilaterals(const float* map, std::size_t height, std::size_t width, std::size_t stride,
                                       const MapOptions& options = {});

}  // namespace spin

#endif  // SPIN_TEXT_MAP_H_
