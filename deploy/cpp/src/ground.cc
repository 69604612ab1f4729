#include "ground.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <optional>
#include <vector>

#include "contract.h"

namespace spin {
namespace {

using namespace contract;

using Channels = std::array<int, 3>;

// Rows and columns at even distances, as offsets from the first pixel.
struct Sample {
  const View& view;
  std::vector<std::ptrdiff_t> rows, columns;

  explicit Sample(const View& picture) : view(picture) {
    const auto fill = [](std::vector<std::ptrdiff_t>& offsets, std::size_t size, int most, std::ptrdiff_t step) {
      offsets.resize(std::min(size, static_cast<std::size_t>(most)));
      for (std::size_t i = 0; i < offsets.size(); ++i) {
        offsets[i] = static_cast<std::ptrdiff_t>(i * size / offsets.size()) * step;
      }
    };
    fill(rows, view.height, kGroundRows, view.row_step);
    fill(columns, view.width, kGroundColumns, view.column_step);
  }

  const std::uint8_t* at(std::size_t row, std::size_t column) const { return view.origin + rows[row] + columns[column]; }
};

// One side of the sample: its lines, counted from the outermost one, and the pixels of each.
struct Side {
  const Sample& sample;
  bool is_horizontal, is_last;

  std::size_t num_lines() const { return (is_horizontal ? sample.rows : sample.columns).size(); }
  std::size_t length() const { return (is_horizontal ? sample.columns : sample.rows).size(); }
  const std::uint8_t* at(std::size_t line, std::size_t place) const {
    line = is_last ? num_lines() - 1 - line : line;
    return is_horizontal ? sample.at(line, place) : sample.at(place, line);
  }

  // Whether no pixel of a line deviates from the ground by more than the tolerance.
  bool is_even(std::size_t line, const Channels& ground, int tolerance) const {
    for (std::size_t place = 0; place < length(); ++place) {
      const std::uint8_t* pixel = at(line, place);
      for (int c = 0; c < sample.view.channels; ++c) {
        if (std::abs(pixel[c] - ground[static_cast<std::size_t>(c)]) > tolerance) {
          return false;
        }
      }
    }
    return true;
  }

  // The middle colour of the outermost line, where no pixel of it is far from that.
  std::optional<Channels> ground() const {
    Channels ground{};
    std::vector<std::uint8_t> values(length());
    for (int c = 0; c < sample.view.channels; ++c) {
      for (std::size_t place = 0; place < length(); ++place) {
        values[place] = at(0, place)[c];
      }
      const auto [low, high] = std::minmax_element(values.begin(), values.end());
      const int lowest = *low, highest = *high;
      // Most photographs end here: no middle is near enough to both ends.
      if (highest - lowest > 2 * kGroundMaxDeviation) {
        return std::nullopt;
      }
      const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
      std::nth_element(values.begin(), middle, values.end());
      if (std::max(highest - *middle, *middle - lowest) > kGroundMaxDeviation) {
        return std::nullopt;
      }
      ground[static_cast<std::size_t>(c)] = *middle;
    }
    return ground;
  }
};

// The least and the largest value of each channel in the sample.
struct Extremes {
  Channels low{255, 255, 255}, high{};

  explicit Extremes(const Sample& sample) {
    for (const std::ptrdiff_t row : sample.rows) {
      for (const std::ptrdiff_t column : sample.columns) {
        const std::uint8_t* pixel = sample.view.origin + row + column;
        for (std::size_t c = 0; c < static_cast<std::size_t>(sample.view.channels); ++c) {
          low[c] = std::min<int>(low[c], pixel[c]);
          high[c] = std::max<int>(high[c], pixel[c]);
        }
      }
    }
  }
};

}  // namespace

std::optional<Box> ground_box(const View& view) {
  if (view.height < kGroundMinSide || view.width < kGroundMinSide) {
    return std::nullopt;
  }
  const Sample sample(view);
  std::optional<Extremes> extremes;
  std::array<std::size_t, 4> cuts{};
  for (std::size_t i = 0; i < cuts.size(); ++i) {
    const Side side{sample, /*is_horizontal=*/i < 2, /*is_last=*/i % 2 == 1};
    const std::optional<Channels> ground = side.ground();
    if (!ground) {
      continue;
    }
    if (!extremes) {
      extremes.emplace(sample);
    }
    int deviation = 0;
    for (std::size_t c = 0; c < static_cast<std::size_t>(view.channels); ++c) {
      deviation = std::max({deviation, extremes->high[c] - (*ground)[c], (*ground)[c] - extremes->low[c]});
    }
    const int tolerance = std::min(std::max(deviation / kGroundDivisor, kGroundMinDeviation), kGroundMaxDeviation);
    std::size_t lines = 0;
    while (lines < side.num_lines() && side.is_even(lines, *ground, tolerance)) {
      ++lines;
    }
    if (lines == side.num_lines()) {
      return std::nullopt;
    }
    cuts[i] = lines * (side.is_horizontal ? view.height : view.width) / side.num_lines();
  }
  const std::size_t top = cuts[0], bottom = view.height - cuts[1], left = cuts[2], right = view.width - cuts[3];
  if (cuts[0] + cuts[1] >= view.height || cuts[2] + cuts[3] >= view.width) {
    return std::nullopt;
  }
  const std::size_t margin = std::min((bottom - top) / kMarginDivisor, right - left);
  const Box box = {top - std::min(top, margin), std::min(bottom + margin, view.height), left - std::min(left, margin),
                   std::min(right + margin, view.width)};
  const bool is_narrower = kCutWidth[1] * (box.right - box.left) < kCutWidth[0] * view.width;
  const bool is_lower = kCutHeight[1] * (box.bottom - box.top) < kCutHeight[0] * view.height;
  return is_narrower || is_lower ? std::optional(box) : std::nullopt;
}

View without_ground(const View& view) {
  const std::optional<Box> box = ground_box(view);
  if (!box) {
    return view;
  }
  View part = view;
  part.origin = view.at(box->top, box->left);
  part.height = box->bottom - box->top;
  part.width = box->right - box->left;
  return part;
}

}  // namespace spin
