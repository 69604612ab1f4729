#include "straighten.h"

#include <algorithm>
#include <cmath>

namespace spin {
namespace {

// What is larger than this is thinned out first: models read crops of 32 x 100 or so.
constexpr double kMaxSide = 512;

struct Point {
  double x, y;
};

double distance(const Point& a, const Point& b) { return std::hypot(b.x - a.x, b.y - a.y); }

std::array<Point, 4> points_of(const Corners& corners) {
  return {{{corners[0], corners[1]}, {corners[2], corners[3]}, {corners[4], corners[5]}, {corners[6], corners[7]}}};
}

// As Python rounds: a half goes to the even number.
std::size_t rounded(double value) { return static_cast<std::size_t>(std::max(std::nearbyint(value), 1.0)); }

// The 8 coefficients that lead from each point of an upright rectangle to its source; Gauss with pivots.
std::optional<std::array<double, 8>> perspective(double width, double height, const std::array<Point, 4>& source) {
  const std::array<Point, 4> target = {{{0, 0}, {width, 0}, {width, height}, {0, height}}};
  std::array<std::array<double, 9>, 8> rows{};
  for (std::size_t i = 0; i < 4; ++i) {
    const auto [u, v] = target[i];
    const auto [x, y] = source[i];
    rows[2 * i] = {u, v, 1, 0, 0, 0, -u * x, -v * x, x};
    rows[2 * i + 1] = {0, 0, 0, u, v, 1, -u * y, -v * y, y};
  }
  for (std::size_t column = 0; column < 8; ++column) {
    std::size_t pivot = column;
    for (std::size_t row = column + 1; row < 8; ++row) {
      if (std::abs(rows[row][column]) > std::abs(rows[pivot][column])) {
        pivot = row;
      }
    }
    std::swap(rows[column], rows[pivot]);
    if (!(std::abs(rows[column][column]) >= 1e-12)) {
      return std::nullopt;
    }
    for (std::size_t row = 0; row < 8; ++row) {
      const double share = row == column ? 0 : rows[row][column] / rows[column][column];
      for (std::size_t k = column; k < 9; ++k) {
        rows[row][k] -= share * rows[column][k];
      }
    }
  }
  std::array<double, 8> result{};
  for (std::size_t i = 0; i < 8; ++i) {
    result[i] = rows[i][8] / rows[i][i];
  }
  return result;
}

double cubic(const std::array<double, 4>& v, double share) {
  const double second = 2 * (v[0] - v[1]) + v[2] - v[3];
  return v[1] + share * (-v[0] + v[2] + share * (second + share * (-v[0] + v[1] - v[2] + v[3])));
}

std::size_t clamped(double value, std::size_t limit) {
  return static_cast<std::size_t>(std::min(std::max(value, 0.0), static_cast<double>(limit - 1)));
}

// Pillow's bicubic kernel, and its way to whole numbers.
void interpolate(const View& view, double x, double y, std::uint8_t* result) {
  const double column = std::floor(x), row = std::floor(y);
  for (int c = 0; c < view.channels; ++c) {
    std::array<double, 4> lines{};
    for (std::size_t i = 0; i < 4; ++i) {
      std::array<double, 4> values{};
      const std::size_t from = clamped(row + static_cast<double>(i) - 1, view.height);
      for (std::size_t k = 0; k < 4; ++k) {
        values[k] = view.at(from, clamped(column + static_cast<double>(k) - 1, view.width))[c];
      }
      lines[i] = cubic(values, x - column);
    }
    result[c] = static_cast<std::uint8_t>(std::min(std::max(std::trunc(cubic(lines, y - row)), 0.0), 255.0));
  }
}

// Every so many pixels of a picture.
View thinned(const View& view, std::size_t step) {
  const auto size = [&](std::size_t length) { return std::max<std::size_t>((length - step / 2 + step - 1) / step, 1); };
  const std::size_t row = std::min(step / 2, view.height - 1), column = std::min(step / 2, view.width - 1);
  const auto by = static_cast<std::ptrdiff_t>(step);
  return {view.at(row, column), size(std::max(view.height, step / 2 + 1)), size(std::max(view.width, step / 2 + 1)),
          view.channels,        view.row_step * by,                        view.column_step * by};
}

}  // namespace

Corners widen(const Corners& corners, double margin) {
  const std::array<Point, 4> points = points_of(corners);
  const auto length = [&](std::size_t i, std::size_t j) { return distance(points[i], points[j]); };
  const double reach =
      margin * std::min((length(0, 3) + length(1, 2)) / 2, (length(0, 1) + length(3, 2)) / 2);
  Corners moved = corners;
  const std::pair<std::size_t, std::size_t> edges[] = {{0, 1}, {3, 2}, {0, 3}, {1, 2}};
  for (const auto& [i, j] : edges) {
    const double share = reach / std::max(length(i, j), 1e-6);
    for (std::size_t axis = 0; axis < 2; ++axis) {
      const double step = share * (corners[2 * j + axis] - corners[2 * i + axis]);
      moved[2 * i + axis] -= step;
      moved[2 * j + axis] += step;
    }
  }
  return moved;
}

std::optional<Image> cut_out(const View& view, const Corners& corners) {
  std::array<Point, 4> points = points_of(corners);
  const auto by_x = [](const Point& a, const Point& b) { return a.x < b.x; };
  const auto by_y = [](const Point& a, const Point& b) { return a.y < b.y; };
  const auto [left, right] = std::minmax_element(points.begin(), points.end(), by_x);
  const auto [top, bottom] = std::minmax_element(points.begin(), points.end(), by_y);
  if (!(right->x > 0 && bottom->y > 0 && left->x < static_cast<double>(view.width) &&
        top->y < static_cast<double>(view.height))) {
    return std::nullopt;
  }
  const auto step = static_cast<std::size_t>(
      std::max(std::floor(std::max(right->x - left->x, bottom->y - top->y) / kMaxSide), 1.0));
  for (Point& point : points) {
    point = {(point.x + 0.5) / static_cast<double>(step) - 0.5, (point.y + 0.5) / static_cast<double>(step) - 0.5};
  }
  Image crop;
  crop.width = rounded(std::max(distance(points[0], points[1]), distance(points[2], points[3])));
  crop.height = rounded(std::max(distance(points[1], points[2]), distance(points[3], points[0])));
  crop.channels = view.channels;
  const auto a = perspective(static_cast<double>(crop.width), static_cast<double>(crop.height), points);
  if (!a) {
    return std::nullopt;
  }
  const View source = thinned(view, step);
  crop.pixels.resize(crop.height * crop.width * static_cast<std::size_t>(crop.channels));
  std::uint8_t* result = crop.pixels.data();
  for (std::size_t row = 0; row < crop.height; ++row) {
    for (std::size_t column = 0; column < crop.width; ++column) {
      const double u = static_cast<double>(column) + 0.5, v = static_cast<double>(row) + 0.5;
      const double depth = (*a)[6] * u + (*a)[7] * v + 1;
      interpolate(source, ((*a)[0] * u + (*a)[1] * v + (*a)[2]) / depth - 0.5,
                  ((*a)[3] * u + (*a)[4] * v + (*a)[5]) / depth - 0.5, result);
      result += crop.channels;
    }
  }
  return crop;
}

}  // namespace spin
