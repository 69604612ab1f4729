#include "lines.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <tuple>

namespace spin {
namespace {

using Corners = std::array<double, 8>;

// In heights of the smaller word: how wide a blank may be, how far words may overlap or be shifted against the line.
constexpr double kMaxBlank = 1.6, kMaxOverlap = 0.6, kMaxShift = 0.45;
// Words of one line are of about one height and direction.
constexpr double kMaxRatio = 1.9, kMinCosine = 0.85;
constexpr std::size_t kNone = std::numeric_limits<std::size_t>::max();

struct Vector {
  double x, y;
};

Vector unit(double x, double y) {
  const double length = std::max(std::hypot(x, y), 1e-6);
  return {x / length, y / length};
}

struct Bar {
  Vector left, right, along;
  double high;
};

Bar to_bar(const Corners& q) {
  const Vector left = {(q[0] + q[6]) / 2, (q[1] + q[7]) / 2}, right = {(q[2] + q[4]) / 2, (q[3] + q[5]) / 2};
  const double high = (std::hypot(q[6] - q[0], q[7] - q[1]) + std::hypot(q[4] - q[2], q[5] - q[3])) / 2;
  return {left, right, unit(right.x - left.x, right.y - left.y), std::max(high, 1e-6)};
}

// One word behind another: cost, the first and the second.
using Pair = std::tuple<double, std::size_t, std::size_t>;

std::vector<Pair> find_pairs(const std::vector<Bar>& bars) {
  std::vector<Pair> pairs;
  for (std::size_t one = 0; one < bars.size(); ++one) {
    for (std::size_t two = 0; two < bars.size(); ++two) {
      const Bar &a = bars[one], &b = bars[two];
      const double x = b.left.x - a.right.x, y = b.left.y - a.right.y;
      const Vector mean = unit(a.along.x + b.along.x, a.along.y + b.along.y);
      const double lower = std::min(a.high, b.high), higher = std::max(a.high, b.high);
      const double forward = (x * mean.x + y * mean.y) / lower, shift = std::abs(x * mean.y - y * mean.x) / lower;
      const bool near = forward < kMaxBlank && forward > -kMaxOverlap && shift < kMaxShift;
      const double cosine = a.along.x * b.along.x + a.along.y * b.along.y;
      if (one != two && near && higher < kMaxRatio * lower && cosine > kMinCosine) {
        pairs.emplace_back(std::abs(forward) + 2 * shift, one, two);
      }
    }
  }
  std::stable_sort(pairs.begin(), pairs.end(),
                   [](const Pair& a, const Pair& b) { return std::get<0>(a) < std::get<0>(b); });
  return pairs;
}

std::vector<std::vector<std::size_t>> chain(const std::vector<Bar>& bars) {
  std::vector<std::size_t> after(bars.size(), kNone), before(bars.size(), kNone);
  for (const auto& [cost, one, two] : find_pairs(bars)) {
    std::size_t end = two;
    while (after[end] != kNone) {
      end = after[end];
    }
    if (after[one] == kNone && before[two] == kNone && end != one) {
      after[one] = two;
      before[two] = one;
    }
  }
  std::vector<std::vector<std::size_t>> chains;
  for (std::size_t start = 0; start < bars.size(); ++start) {
    if (before[start] == kNone) {
      chains.emplace_back();
      for (std::size_t word = start; word != kNone; word = after[word]) {
        chains.back().push_back(word);
      }
    }
  }
  return chains;
}

struct Extent {
  double left, right, x, y;
};

bool share_columns(const Extent& a, const Extent& b) { return a.left < b.right && b.left < a.right; }

Extent extent_of(const std::vector<std::size_t>& line, const std::vector<Corners>& words) {
  constexpr double kFar = std::numeric_limits<double>::infinity();
  double left = kFar, right = -kFar, top = kFar, bottom = -kFar;
  for (const std::size_t word : line) {
    for (std::size_t i = 0; i < 8; i += 2) {
      left = std::min(left, words[word][i]);
      right = std::max(right, words[word][i]);
      top = std::min(top, words[word][i + 1]);
      bottom = std::max(bottom, words[word][i + 1]);
    }
  }
  // Lines that share a few pixels of their columns are beside each other.
  const double slack = 0.1 * (right - left);
  return {left + slack, right - slack, (left + right) / 2, (top + bottom) / 2};
}

// Above comes before below where lines share columns, a column before the next one (Breuel, 2003).
std::vector<std::size_t> reading_order(const std::vector<Extent>& lines) {
  const std::size_t count = lines.size();
  std::vector<std::vector<char>> first(count, std::vector<char>(count));
  for (std::size_t i = 0; i < count; ++i) {
    for (std::size_t j = 0; j < count; ++j) {
      const Extent &a = lines[i], &b = lines[j];
      if (share_columns(a, b)) {
        first[i][j] |= a.y < b.y;
        continue;
      }
      if (a.x >= b.x) {
        continue;
      }
      // What spans both columns between them parts what is above it from what is below.
      const double top = std::min(a.y, b.y), bottom = std::max(a.y, b.y);
      const bool parted = std::any_of(lines.begin(), lines.end(), [&](const Extent& c) {
        return share_columns(a, c) && share_columns(b, c) && c.y > top && c.y < bottom;
      });
      (parted && a.y >= b.y ? first[j][i] : first[i][j]) = true;
    }
  }
  std::vector<std::size_t> rest(count), order;
  std::iota(rest.begin(), rest.end(), std::size_t{0});
  std::stable_sort(rest.begin(), rest.end(), [&](std::size_t i, std::size_t j) {
    return std::tie(lines[i].y, lines[i].x) < std::tie(lines[j].y, lines[j].x);
  });
  while (!rest.empty()) {
    const auto free = std::find_if(rest.begin(), rest.end(), [&](std::size_t i) {
      return std::none_of(rest.begin(), rest.end(), [&](std::size_t j) { return j != i && first[j][i]; });
    });
    // A circle, which bent lines can form, is opened at its highest line.
    const auto next = free == rest.end() ? rest.begin() : free;
    order.push_back(*next);
    rest.erase(next);
  }
  return order;
}

}  // namespace

std::vector<std::vector<std::size_t>> lines_of(const std::vector<Corners>& words) {
  std::vector<Bar> bars;
  std::transform(words.begin(), words.end(), std::back_inserter(bars), to_bar);
  const std::vector<std::vector<std::size_t>> chains = chain(bars);
  std::vector<Extent> extents;
  for (const std::vector<std::size_t>& line : chains) {
    extents.push_back(extent_of(line, words));
  }
  std::vector<std::vector<std::size_t>> sorted;
  for (const std::size_t line : reading_order(extents)) {
    sorted.push_back(chains[line]);
  }
  return sorted;
}

}  // namespace spin
