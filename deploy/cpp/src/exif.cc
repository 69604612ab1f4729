#include "exif.h"

namespace spin {
namespace {

constexpr std::uint32_t kOrientationTag = 0x0112;
constexpr char kPrefix[] = {'E', 'x', 'i', 'f', 0, 0};

// Reads unsigned numbers of a TIFF structure; whatever lies outside of it is absent.
class Tiff {
 public:
  explicit Tiff(std::string data) : data_(std::move(data)) {}

  bool open() {
    if (data_.size() < 8 || !(data_.compare(0, 2, "II") == 0 || data_.compare(0, 2, "MM") == 0)) {
      return false;
    }
    little_ = data_[0] == 'I';
    return number(2, 2) == 42;
  }

  std::optional<std::uint32_t> number(std::size_t offset, int bytes) const {
    if (offset > data_.size() || data_.size() - offset < static_cast<std::size_t>(bytes)) {
      return std::nullopt;
    }
    std::uint32_t value = 0;
    for (int i = 0; i < bytes; ++i) {
      const std::size_t at = offset + static_cast<std::size_t>(little_ ? bytes - 1 - i : i);
      value = value << 8 | static_cast<std::uint8_t>(data_[at]);
    }
    return value;
  }

 private:
  std::string data_;
  bool little_ = false;
};

// The orientation tag of the first directory; 0 where it is there but holds no whole number.
std::optional<std::uint32_t> exif_orientation(std::string data) {
  for (int i = 0; i < 2 && data.compare(0, sizeof kPrefix, kPrefix, sizeof kPrefix) == 0; ++i) {
    data.erase(0, sizeof kPrefix);
  }
  Tiff tiff(std::move(data));
  if (!tiff.open()) {
    return std::nullopt;
  }
  const std::uint32_t directory = *tiff.number(4, 4);
  const std::uint32_t count = tiff.number(directory, 2).value_or(0);
  std::optional<std::uint32_t> found;
  for (std::uint32_t i = 0; i < count; ++i) {
    const std::size_t entry = std::size_t{directory} + 2 + std::size_t{i} * 12;
    const auto tag = tiff.number(entry, 2), type = tiff.number(entry + 2, 2), length = tiff.number(entry + 4, 4);
    if (!tiff.number(entry + 8, 4)) {
      break;
    }
    if (tag == kOrientationTag) {
      // SHORT and LONG, with and without sign: of the numbers that count, the sign is never set.
      const bool is_short = type == 3u || type == 8u, is_long = type == 4u || type == 9u;
      found = (is_short || is_long) && length == 1u ? *tiff.number(entry + 8, is_short ? 2 : 4) : 0;
    }
  }
  return found;
}

// The first tiff:Orientation="N" or <tiff:Orientation>N of the text.
std::optional<std::uint32_t> xmp_orientation(const std::string& xmp) {
  const std::string name = "tiff:Orientation";
  for (std::size_t at = xmp.find(name); at != std::string::npos; at = xmp.find(name, at + 1)) {
    std::size_t digit = at + name.size();
    if (xmp.compare(digit, 2, "=\"") == 0) {
      digit += 2;
    } else if (xmp.compare(digit, 1, ">") == 0) {
      digit += 1;
    } else {
      continue;
    }
    if (digit < xmp.size() && xmp[digit] >= '0' && xmp[digit] <= '9') {
      return static_cast<std::uint32_t>(xmp[digit] - '0');
    }
  }
  return std::nullopt;
}

}  // namespace

int orientation(const std::string& exif, const std::string& xmp) {
  std::optional<std::uint32_t> found = exif_orientation(exif);
  if (!found) {
    found = xmp_orientation(xmp);
  }
  return found && *found >= 1 && *found <= 8 ? static_cast<int>(*found) : 1;
}

}  // namespace spin
