#include "colour.h"

#include <algorithm>
#include <array>

namespace spin {
namespace {

using namespace contract;

// Beyond 64 bits for the largest images that metadata may name.
__extension__ using Wide = __int128;

using Values = std::vector<std::int16_t>;

std::int64_t sum(const Values& values) {
  std::int64_t total = 0;
  for (const std::int16_t value : values) {
    total += value;
  }
  return total;
}

// The sum of products. Within a row it fits into 32 bits, which processors add several at a time.
std::int64_t product(const Values& a, const Values& b, std::size_t width) {
  std::int64_t total = 0;
  for (std::size_t start = 0; start < a.size(); start += width) {
    std::int32_t row = 0;
    for (std::size_t i = start; i < start + width; ++i) {
      row += a[i] * b[i];
    }
    total += row;
  }
  return total;
}

}  // namespace

Values grey_values(const Colours& colours) {
  const auto& [red, green, blue] = colours.channels;
  Values grey(red.size());
  for (std::size_t i = 0; i < grey.size(); ++i) {
    grey[i] = static_cast<std::int16_t>(weighted_grey(red[i], green[i], blue[i]));
  }
  return grey;
}

void along_colour_axis(const Colours& colours, Values& grey) {
  const auto& channels = colours.channels;
  const auto count = static_cast<Wide>(grey.size());
  const std::array<std::int64_t, 3> sums = {sum(channels[0]), sum(channels[1]), sum(channels[2])};
  // Variances and covariances, times the squared count.
  const auto spread = [&](std::size_t i, std::size_t j) {
    return count * product(channels[i], channels[j], colours.width) - static_cast<Wide>(sums[i]) * sums[j];
  };
  const auto grey_sum = static_cast<Wide>(sum(grey));
  const Wide grey_spread = count * product(grey, grey, colours.width) - grey_sum * grey_sum;
  const Wide least = std::max(kColourRatio * grey_spread, kColourMinVariance * count * count);
  const std::array<Wide, 3> own = {spread(0, 0), spread(1, 1), spread(2, 2)};
  // No axis has more than all three channels together: most pictures end here.
  if (own[0] + own[1] + own[2] < least) {
    return;
  }
  const Wide red_green = spread(0, 1), red_blue = spread(0, 2), green_blue = spread(1, 2);
  const int* best = nullptr;
  Wide most = 0;
  for (const auto& d : kColourDirections) {
    const Wide along = d[0] * d[0] * own[0] + d[1] * d[1] * own[1] + d[2] * d[2] * own[2] +
                       2 * (d[0] * d[1] * red_green + d[0] * d[2] * red_blue + d[1] * d[2] * green_blue);
    const Wide scaled = along * (kColourUnit / (d[0] * d[0] + d[1] * d[1] + d[2] * d[2]));
    if (!best || scaled > most) {
      best = d;
      most = scaled;
    }
  }
  if (most < kColourUnit * least) {
    return;
  }
  for (std::size_t i = 0; i < grey.size(); ++i) {
    grey[i] = static_cast<std::int16_t>(best[0] * channels[0][i] + best[1] * channels[1][i] + best[2] * channels[2][i]);
  }
  const auto [low, high] = std::minmax_element(grey.begin(), grey.end());
  const int lowest = *low, span = *high - *low;
  for (std::int16_t& value : grey) {
    value = static_cast<std::int16_t>(((value - lowest) * 510 + span) / (2 * span));
  }
}

}  // namespace spin
