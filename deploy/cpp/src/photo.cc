#include "spin/photo.h"

#include <algorithm>
#include <optional>

#include "detector.h"
#include "image.h"
#include "lines.h"
#include "straighten.h"

namespace spin {
namespace {

// What a crop gets around the detector's outline, as a share of its shorter side.
constexpr double kMargin = 0.1;

// A crop that was read turned has its first corner elsewhere.
Corners turned_corners(Corners corners, int degrees) {
  const int quarters = (degrees / 90 + 4) % 4;
  std::rotate(corners.begin(), corners.begin() + 2 * quarters, corners.end());
  return corners;
}

}  // namespace

Photo read_photo(const Recognizer& recognizer, const Detector& detector, const std::string& bytes,
                 double min_confidence) {
  const Image image = decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const View view = upright(image);
  Photo photo;
  photo.height = view.height;
  photo.width = view.width;
  std::vector<PhotoWord> found;
  std::vector<Corners> corners;
  for (Place& place : Photographs::of(detector).find(view)) {
    const std::optional<Image> crop = cut_out(view, widen(place.corners, kMargin));
    if (!crop) {
      continue;
    }
    Word word = recognizer.read_pixels(crop->pixels.data(), crop->height, crop->width, crop->channels);
    if (!word.text.empty() && word.confidence >= min_confidence) {
      place.corners = turned_corners(place.corners, word.turned);
      corners.push_back(place.corners);
      found.push_back({std::move(word), place, 0});
    }
  }
  const std::vector<std::vector<std::size_t>> lines = lines_of(corners);
  for (std::size_t line = 0; line < lines.size(); ++line) {
    for (const std::size_t member : lines[line]) {
      found[member].line = static_cast<int>(line);
      photo.words.push_back(std::move(found[member]));
    }
  }
  return photo;
}

}  // namespace spin
