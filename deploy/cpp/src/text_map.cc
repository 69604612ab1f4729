#include "text_map.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <utility>

namespace spin {
namespace {

using Whole = std::int64_t;

// Pixels side by side in a row.
struct Run {
  Whole row, first, last;
};

struct Point {
  Whole x, y;
};

// What lies within: low_u <= x dx + y dy <= high_u and low_v <= y dx - x dy <= high_v.
struct Rectangle {
  Whole dx, dy;
  Whole low_u, high_u, low_v, high_v;

  double length() const { return std::sqrt(static_cast<double>(dx * dx + dy * dy)); }
  double across() const { return static_cast<double>(high_u - low_u) / length(); }
  double down() const { return static_cast<double>(high_v - low_v) / length(); }
};

struct Map {
  const float* values;
  Whole height, width, stride;

  float at(Whole row, Whole column) const { return values[row * stride + column]; }
};

Whole floor_divided(Whole value, Whole by) { return value / by - (value % by != 0 && (value < 0) != (by < 0)); }
Whole ceil_divided(Whole value, Whole by) { return -floor_divided(-value, by); }

// The runs of the mask, widened by one to the right and down, row by row.
std::vector<Run> find_runs(const Map& map, float threshold) {
  std::vector<Run> runs;
  std::vector<char> above(static_cast<std::size_t>(map.width)), mask(above.size());
  for (Whole row = 0; row < map.height; ++row) {
    for (Whole x = 0; x < map.width; ++x) {
      mask[static_cast<std::size_t>(x)] = map.at(row, x) > threshold;
    }
    Whole first = -1;
    for (std::size_t x = 0; x <= mask.size(); ++x) {
      const bool set = x < mask.size() && (mask[x] || above[x] || (x > 0 && (mask[x - 1] || above[x - 1])));
      if (set && first < 0) {
        first = static_cast<Whole>(x);
      } else if (!set && first >= 0) {
        runs.push_back({row, first, static_cast<Whole>(x) - 1});
        first = -1;
      }
    }
    std::swap(above, mask);
  }
  return runs;
}

// The runs of each region, in the order of their first ones; runs that touch, at a corner at least, belong together.
std::vector<std::vector<Run>> regions(const std::vector<Run>& runs) {
  std::vector<std::size_t> parent(runs.size());
  std::iota(parent.begin(), parent.end(), std::size_t{0});
  const auto root = [&](std::size_t i) {
    while (parent[i] != i) {
      parent[i] = parent[parent[i]];
      i = parent[i];
    }
    return i;
  };
  std::size_t above = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& run = runs[i];
    while (above < i && (runs[above].row < run.row - 1 ||
                         (runs[above].row == run.row - 1 && runs[above].last < run.first - 1))) {
      ++above;
    }
    for (std::size_t j = above; j < i && runs[j].row == run.row - 1 && runs[j].first <= run.last + 1; ++j) {
      const std::size_t one = root(i), other = root(j);
      parent[std::max(one, other)] = std::min(one, other);
    }
  }
  std::vector<std::vector<Run>> found;
  std::vector<std::size_t> place(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::size_t first = root(i);
    if (first == i) {
      place[i] = found.size();
      found.emplace_back();
    }
    found[place[first]].push_back(runs[i]);
  }
  return found;
}

// Adds a point to a chain of the hull's left (side 1) or right (-1) corners, and takes away those that are none.
void add_corner(std::vector<Point>& chain, Point point, Whole side) {
  while (chain.size() > 1) {
    const Point a = chain[chain.size() - 2], b = chain.back();
    if (side * ((b.x - a.x) * (point.y - a.y) - (point.x - a.x) * (b.y - a.y)) < 0) {
      break;
    }
    chain.pop_back();
  }
  chain.push_back(point);
}

// Turns a direction by quarters until it points right, by less than 45 degrees upwards and at most 45 downwards.
Point rightwards(Point d) {
  while (!(d.x > 0 && -d.x < d.y && d.y <= d.x)) {
    d = {-d.y, d.x};
  }
  return d;
}

Rectangle smallest_rectangle(const std::vector<Run>& runs) {
  std::vector<Point> left, right;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const Run& first = runs[i];
    while (i + 1 < runs.size() && runs[i + 1].row == first.row) {
      ++i;
    }
    add_corner(left, {first.first, first.row}, 1);
    add_corner(right, {runs[i].last, first.row}, -1);
  }
  // Tried in this order, and the first of equal ones taken: upright, the left sides downwards, the right ones.
  std::vector<Point> directions = {{1, 0}};
  for (const std::vector<Point>* chain : {&left, &right}) {
    for (std::size_t i = 1; i < chain->size(); ++i) {
      directions.push_back({(*chain)[i].x - (*chain)[i - 1].x, (*chain)[i].y - (*chain)[i - 1].y});
    }
  }
  std::vector<Point> points = left;
  points.insert(points.end(), right.begin(), right.end());
  Rectangle best{};
  double smallest = std::numeric_limits<double>::infinity();
  for (const Point direction : directions) {
    const Point d = rightwards(direction);
    constexpr Whole kFar = std::numeric_limits<Whole>::max();
    Rectangle around{d.x, d.y, kFar, -kFar, kFar, -kFar};
    for (const Point& point : points) {
      const Whole u = point.x * d.x + point.y * d.y, v = point.y * d.x - point.x * d.y;
      around.low_u = std::min(around.low_u, u);
      around.high_u = std::max(around.high_u, u);
      around.low_v = std::min(around.low_v, v);
      around.high_v = std::max(around.high_v, v);
    }
    const double area =
        static_cast<double>((around.high_u - around.low_u) * (around.high_v - around.low_v)) /
        static_cast<double>(d.x * d.x + d.y * d.y);
    if (area < smallest) {
      best = around;
      smallest = area;
    }
  }
  return best;
}

// The mean probability of the pixels whose centres lie in a rectangle.
double mean_within(const Map& map, const Rectangle& r) {
  const Whole square = r.dx * r.dx + r.dy * r.dy;
  const Whole top =
      std::max<Whole>(ceil_divided(std::min(r.low_u * r.dy, r.high_u * r.dy) + r.low_v * r.dx, square), 0);
  const Whole bottom = std::min(
      floor_divided(std::max(r.low_u * r.dy, r.high_u * r.dy) + r.high_v * r.dx, square), map.height - 1);
  double total = 0;
  Whole number = 0;
  for (Whole row = top; row <= bottom; ++row) {
    Whole left = ceil_divided(r.low_u - row * r.dy, r.dx), right = floor_divided(r.high_u - row * r.dy, r.dx);
    if (r.dy != 0) {
      // Of the sides above and below: which of them bounds a row on the left depends on where the rectangle leans.
      const Whole near = r.dy > 0 ? row * r.dx - r.high_v : r.low_v - row * r.dx;
      const Whole far = r.dy > 0 ? row * r.dx - r.low_v : r.high_v - row * r.dx;
      left = std::max(left, ceil_divided(near, std::abs(r.dy)));
      right = std::min(right, floor_divided(far, std::abs(r.dy)));
    }
    left = std::max<Whole>(left, 0);
    right = std::min(right, map.width - 1);
    for (Whole column = left; column <= right; ++column) {
      total += static_cast<double>(map.at(row, column));
    }
    number += std::max<Whole>(right - left + 1, 0);
  }
  return total / static_cast<double>(std::max<Whole>(number, 1));
}

std::array<double, 8> corners_of(const Rectangle& r, double margin) {
  const auto dx = static_cast<double>(r.dx), dy = static_cast<double>(r.dy);
  const double square = dx * dx + dy * dy, wider = margin * std::sqrt(square);
  const double low_u = static_cast<double>(r.low_u) - wider, high_u = static_cast<double>(r.high_u) + wider;
  const double low_v = static_cast<double>(r.low_v) - wider, high_v = static_cast<double>(r.high_v) + wider;
  const std::pair<double, double> places[] = {{low_u, low_v}, {high_u, low_v}, {high_u, high_v}, {low_u, high_v}};
  std::array<double, 8> corners{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto [u, v] = places[i];
    corners[2 * i] = (u * dx - v * dy) / square + 0.5;
    corners[2 * i + 1] = (u * dy + v * dx) / square + 0.5;
  }
  return corners;
}

}  // namespace

std::vector<Place> find_quadrilaterals(const float* values, std::size_t height, std::size_t width, std::size_t stride,
                                       const MapOptions& options) {
  const Map map{values, static_cast<Whole>(height), static_cast<Whole>(width), static_cast<Whole>(stride)};
  std::vector<Place> places;
  for (const std::vector<Run>& runs : regions(find_runs(map, options.threshold))) {
    const Rectangle rectangle = smallest_rectangle(runs);
    const double across = rectangle.across(), down = rectangle.down();
    if (std::min(across, down) < options.min_side) {
      continue;
    }
    const double score = mean_within(map, rectangle);
    const double margin = options.unclip * across * down / std::max(2 * (across + down), 1e-9);
    if (score >= options.box_threshold && std::min(across, down) + 2 * margin >= options.min_side + 2) {
      places.push_back({corners_of(rectangle, margin), score});
    }
  }
  return places;
}

}  // namespace spin
