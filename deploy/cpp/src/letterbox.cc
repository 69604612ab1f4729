#include "letterbox.h"

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace spin {
namespace {

constexpr int kBits = 22;
constexpr std::int32_t kHalf = 1 << (kBits - 1);

// Of each result along an axis: where its pixels begin, and their weights in units of 2 ** -22.
struct Weights {
  std::vector<std::size_t> first;
  std::vector<std::vector<std::int32_t>> weights;
};

Weights weights_of(std::size_t size, std::size_t target) {
  Weights result;
  const double scale = static_cast<double>(size) / static_cast<double>(target), stretch = std::max(scale, 1.0);
  for (std::size_t i = 0; i < target; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto begin = static_cast<std::size_t>(std::max(centre - stretch + 0.5, 0.0));
    const std::size_t end = std::min(static_cast<std::size_t>(centre + stretch + 0.5), size);
    std::vector<double> shares;
    double sum = 0;
    for (std::size_t k = begin; k < end; ++k) {
      shares.push_back(std::max(1 - std::abs((static_cast<double>(k) - centre + 0.5) * (1 / stretch)), 0.0));
      sum += shares.back();
    }
    result.first.push_back(begin);
    std::vector<std::int32_t>& whole = result.weights.emplace_back();
    for (const double share : shares) {
      whole.push_back(static_cast<std::int32_t>(0.5 + share / sum * (1 << kBits)));
    }
  }
  return result;
}

std::uint8_t to_byte(std::int32_t sum) { return static_cast<std::uint8_t>(std::min(sum >> kBits, 255)); }

}  // namespace

std::vector<float> letterbox(const View& view, std::size_t rows, std::size_t columns, std::size_t height,
                             std::size_t width) {
  const Weights across = weights_of(view.width, columns), down = weights_of(view.height, rows);
  const std::size_t line = 3 * columns;
  // Grey pictures have one channel three times.
  const std::size_t green = view.channels == 3 ? 1 : 0, blue = view.channels == 3 ? 2 : 0;
  std::vector<std::uint8_t> narrow(view.height * line);
  for (std::size_t row = 0; row < view.height; ++row) {
    for (std::size_t column = 0; column < columns; ++column) {
      std::int32_t sums[3] = {kHalf, kHalf, kHalf};
      const std::uint8_t* pixel = view.at(row, across.first[column]);
      for (const std::int32_t weight : across.weights[column]) {
        sums[0] += pixel[0] * weight;
        sums[1] += pixel[green] * weight;
        sums[2] += pixel[blue] * weight;
        pixel += view.column_step;
      }
      for (std::size_t c = 0; c < 3; ++c) {
        narrow[row * line + 3 * column + c] = to_byte(sums[c]);
      }
    }
  }
  std::vector<float> result(3 * height * width);
  std::vector<std::int32_t> sums(line);
  for (std::size_t row = 0; row < rows; ++row) {
    std::fill(sums.begin(), sums.end(), kHalf);
    const std::uint8_t* from = narrow.data() + down.first[row] * line;
    for (const std::int32_t weight : down.weights[row]) {
      for (std::size_t i = 0; i < line; ++i) {
        sums[i] += from[i] * weight;
      }
      from += line;
    }
    std::transform(sums.begin(), sums.end(), result.begin() + static_cast<std::ptrdiff_t>(3 * row * width),
                   [](std::int32_t sum) { return static_cast<float>(to_byte(sum)); });
  }
  return result;
}

}  // namespace spin
