// Image files decoded as decode_image of spin_tf/data/images.py decodes them.
#ifndef SPIN_IMAGE_H_
#define SPIN_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "contract.h"

namespace spin {

constexpr std::uint64_t kMaxPixels = contract::kMaxPixels;
constexpr std::size_t kMaxBytes = contract::kMaxImageBytes;

// Pixels as they lie in the file, and how they want to be turned.
struct Image {
  std::size_t height = 0;
  std::size_t width = 0;
  int channels = 1;        // 1 (grey) or 3 (red, green, blue)
  int orientation = 1;     // of EXIF: 1 to 8
  std::vector<std::uint8_t> pixels;
};

// A picture that somebody else owns: turning it changes steps and origin, never a pixel.
struct View {
  const std::uint8_t* origin;
  std::size_t height;
  std::size_t width;
  int channels;
  std::ptrdiff_t row_step;
  std::ptrdiff_t column_step;

  const std::uint8_t* at(std::size_t row, std::size_t column) const {
    return origin + static_cast<std::ptrdiff_t>(row) * row_step + static_cast<std::ptrdiff_t>(column) * column_step;
  }
};

// The image as it is to be looked at: EXIF orientation applied.
View upright(const Image& image);

// Turned counter-clockwise by 0, 90, -90 or 180 degrees.
View turned(const View& view, int degrees);

// Pixels of somebody else: rows from the top, `row_stride` bytes apart (0: they follow each other). Throws
// std::invalid_argument for a shape that no image has.
View checked_view(const std::uint8_t* pixels, std::size_t height, std::size_t width, int channels,
                  std::size_t row_stride);

// Decodes a JPEG or PNG file; what it is decides, not what it is called. Throws ImageError.
Image decode_image(const std::uint8_t* data, std::size_t size);

// The two decoders behind it: the data starts with their magic bytes. Throw ImageError.
Image decode_jpeg(const std::uint8_t* data, std::size_t size);
Image decode_png(const std::uint8_t* data, std::size_t size);

// What both check and say in the same words.
void check_size(std::uint64_t height, std::uint64_t width);
[[noreturn]] void broken_header(const std::string& why, const std::uint8_t* data, std::size_t size);
[[noreturn]] void broken_pixels(const std::string& why, std::size_t size);

}  // namespace spin

#endif  // SPIN_IMAGE_H_
