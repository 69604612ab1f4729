#include "preprocessing.h"

#include <algorithm>
#include <cmath>

#include "colour.h"
#include "contract.h"
#include "ground.h"

namespace spin {
namespace {

// Along one axis, the source indices of all lower taps, then of all upper ones, and the weights of the upper ones.
struct Taps {
  std::vector<std::size_t> sources;
  std::vector<float> upper_weights;
};

// Every step in float32, as numpy takes them there.
Taps taps(std::size_t size, std::size_t target) {
  Taps taps{std::vector<std::size_t>(2 * target), std::vector<float>(target)};
  const float scale = static_cast<float>(size) / static_cast<float>(target);
  for (std::size_t i = 0; i < target; ++i) {
    const float centre = (static_cast<float>(i) + 0.5f) * scale - 0.5f;
    const float floor = std::floor(centre), ceil = std::ceil(centre);
    // Beyond 2 ** 24 pixels float32 rounds past the edge.
    taps.sources[i] = std::min(floor > 0 ? static_cast<std::size_t>(floor) : 0, size - 1);
    taps.sources[target + i] = std::min(ceil > 0 ? static_cast<std::size_t>(ceil) : 0, size - 1);
    taps.upper_weights[i] = centre - floor;
  }
  return taps;
}

// Each channel of the taps apart, row by row.
Colours taken(const View& view, const Taps& rows, const Taps& columns) {
  Colours colours{columns.sources.size(), {}};
  std::vector<std::ptrdiff_t> offsets;
  for (const std::size_t column : columns.sources) {
    offsets.push_back(static_cast<std::ptrdiff_t>(column) * view.column_step);
  }
  for (int c = 0; c < view.channels; ++c) {
    std::vector<std::int16_t>& channel = colours.channels[c];
    channel.resize(rows.sources.size() * offsets.size());
    auto value = channel.begin();
    for (const std::size_t row : rows.sources) {
      const std::uint8_t* line = view.at(row, 0) + c;
      value = std::transform(offsets.begin(), offsets.end(), value, [&](std::ptrdiff_t offset) { return line[offset]; });
    }
  }
  return colours;
}

}  // namespace

View cut(const View& view, const Metadata& metadata) {
  return metadata.preprocessing >= 2 ? without_ground(view) : view;
}

Input prepare(const View& view, const Metadata& metadata) {
  const bool wide = metadata.wide_size && view.width > contract::kWideAspect * view.height;
  const Size& size = wide ? *metadata.wide_size : metadata.size;
  const auto height = static_cast<std::size_t>(size.height), width = static_cast<std::size_t>(size.width);
  Input input{wide, std::vector<float>(height * width)};
  preprocess(view, height, width, /*colour=*/metadata.preprocessing >= 2, input.values.data());
  return input;
}

void preprocess(const View& view, std::size_t height, std::size_t width, bool colour, float* output) {
  const Taps rows = taps(view.height, height), columns = taps(view.width, width);
  Colours colours = taken(view, rows, columns);
  std::vector<std::int16_t> values = view.channels == 3 ? grey_values(colours) : std::move(colours.channels[0]);
  if (view.channels == 3 && colour) {
    along_colour_axis(colours, values);
  }
  // Both rows of taps of one result.
  std::vector<float> top(width), bottom(width);
  const auto interpolate = [&](std::size_t row, std::vector<float>& line) {
    const std::int16_t* left = values.data() + row * 2 * width;
    for (std::size_t x = 0; x < width; ++x) {
      const float lower = left[x], upper = left[width + x];
      line[x] = lower + (upper - lower) * columns.upper_weights[x];
    }
  };
  for (std::size_t y = 0; y < height; ++y) {
    interpolate(y, top);
    interpolate(height + y, bottom);
    for (std::size_t x = 0; x < width; ++x) {
      const float value = top[x] + (bottom[x] - top[x]) * rows.upper_weights[y];
      *output++ = (value - 127.5f) / 127.5f;
    }
  }
}

}  // namespace spin
