#include "preprocessing.h"

#include <algorithm>
#include <cmath>

namespace spin {
namespace {

// The source indices and the weights of the upper ones along one axis.
struct Taps {
  std::vector<std::size_t> lower, upper;
  std::vector<float> upper_weight;
};

// Every step in float32, as numpy takes them there.
Taps taps(std::size_t size, std::size_t target) {
  Taps taps;
  const float scale = static_cast<float>(size) / static_cast<float>(target);
  for (std::size_t i = 0; i < target; ++i) {
    const float centre = (static_cast<float>(i) + 0.5f) * scale - 0.5f;
    const float floor = std::floor(centre), ceil = std::ceil(centre);
    // Beyond 2 ** 24 pixels float32 rounds past the edge.
    taps.lower.push_back(std::min(floor > 0 ? static_cast<std::size_t>(floor) : 0, size - 1));
    taps.upper.push_back(std::min(ceil > 0 ? static_cast<std::size_t>(ceil) : 0, size - 1));
    taps.upper_weight.push_back(centre - floor);
  }
  return taps;
}

// OpenCV's weights of red, green and blue in units of 2 ** -15.
float grey(const std::uint8_t* pixel, int channels) {
  if (channels == 1) {
    return static_cast<float>(*pixel);
  }
  return static_cast<float>((pixel[0] * 9798 + pixel[1] * 19235 + pixel[2] * 3735 + (1 << 14)) >> 15);
}

}  // namespace

void preprocess(const View& view, std::size_t height, std::size_t width, float* output) {
  const Taps rows = taps(view.height, height), columns = taps(view.width, width);
  const auto along_row = [&](std::size_t row, std::size_t x) {
    const float left = grey(view.at(row, columns.lower[x]), view.channels);
    const float right = grey(view.at(row, columns.upper[x]), view.channels);
    return left + (right - left) * columns.upper_weight[x];
  };
  for (std::size_t y = 0; y < height; ++y) {
    for (std::size_t x = 0; x < width; ++x) {
      const float top = along_row(rows.lower[y], x), bottom = along_row(rows.upper[y], x);
      const float value = top + (bottom - top) * rows.upper_weight[y];
      *output++ = (value - 127.5f) / 127.5f;
    }
  }
}

}  // namespace spin
