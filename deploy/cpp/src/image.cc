#include "image.h"

#include <algorithm>
#include <cstring>
#include <stdexcept>

#include "spin/recognizer.h"
#include "text.h"
#include "without_metadata.h"

namespace spin {
namespace {

constexpr std::uint8_t kJpegMagic[] = {0xFF, 0xD8, 0xFF};
constexpr std::uint8_t kPngMagic[] = {0x89, 'P', 'N', 'G', '\r', '\n', 0x1A, '\n'};

template <std::size_t N>
bool starts_with(const std::uint8_t* data, std::size_t size, const std::uint8_t (&magic)[N]) {
  return size >= N && std::memcmp(data, magic, N) == 0;
}

std::string first_bytes(const std::uint8_t* data, std::size_t size) {
  const std::size_t count = std::min<std::size_t>(size, 8);
  return "b'" + escaped(std::string(reinterpret_cast<const char*>(data), count), true, true) + "'...";
}

View flipped_left_right(View view) {
  view.origin += static_cast<std::ptrdiff_t>(view.width - 1) * view.column_step;
  view.column_step = -view.column_step;
  return view;
}

View flipped_top_bottom(View view) {
  view.origin += static_cast<std::ptrdiff_t>(view.height - 1) * view.row_step;
  view.row_step = -view.row_step;
  return view;
}

View transposed(View view) {
  std::swap(view.height, view.width);
  std::swap(view.row_step, view.column_step);
  return view;
}

}  // namespace

View upright(const Image& image) {
  View view{image.pixels.data(),
            image.height,
            image.width,
            image.channels,
            static_cast<std::ptrdiff_t>(image.width) * image.channels,
            image.channels};
  switch (image.orientation) {
    case 2:
      return flipped_left_right(view);
    case 3:
      return turned(view, 180);
    case 4:
      return flipped_top_bottom(view);
    case 5:
      return transposed(view);
    case 6:
      return turned(view, -90);
    case 7:
      return transposed(turned(view, 180));
    case 8:
      return turned(view, 90);
    default:
      return view;
  }
}

View turned(const View& view, int degrees) {
  switch (degrees) {
    case 90:
      return transposed(flipped_left_right(view));
    case -90:
      return transposed(flipped_top_bottom(view));
    case 180:
      return flipped_top_bottom(flipped_left_right(view));
    default:
      return view;
  }
}

View checked_view(const std::uint8_t* pixels, std::size_t height, std::size_t width, int channels,
                  std::size_t row_stride) {
  const std::size_t row_size = width * static_cast<std::size_t>(channels);
  if (!pixels || height == 0 || width == 0 || (channels != 1 && channels != 3) || height > kMaxPixels / width ||
      (row_stride != 0 && row_stride < row_size)) {
    throw std::invalid_argument("Pixels are rows of 1 or 3 bytes a pixel, up to " + std::to_string(kMaxPixels) +
                                " of them. Received: " + std::to_string(width) + " x " + std::to_string(height) +
                                ", channels=" + std::to_string(channels) +
                                ", row_stride=" + std::to_string(row_stride));
  }
  const auto row_step = static_cast<std::ptrdiff_t>(row_stride != 0 ? row_stride : row_size);
  return {pixels, height, width, channels, row_step, channels};
}

Image decode_image(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    throw ImageError("The image file is empty. Received: 0 bytes", ImageError::Reason::kEmptyFile);
  }
  if (size > kMaxBytes) {
    throw ImageError("Image files may have up to " + std::to_string(kMaxBytes) + " bytes. Received: " +
                         std::to_string(size) + " bytes",
                     ImageError::Reason::kFileTooLarge);
  }
  const auto decode = starts_with(data, size, kJpegMagic)  ? decode_jpeg
                      : starts_with(data, size, kPngMagic) ? decode_png
                                                           : nullptr;
  if (!decode) {
    throw ImageError(
        "Not an image, or one of a format that is not read (JPEG, PNG). Received: " + first_bytes(data, size),
        ImageError::Reason::kNotAnImage);
  }
  try {
    return decode(data, size);
  } catch (const ImageError& error) {
    // Metadata that cannot be understood is left out of account.
    if (error.reason() == ImageError::Reason::kBrokenImage) {
      const std::vector<std::uint8_t> bare = without_metadata(data, size);
      if (bare.size() != size) {
        try {
          return decode(bare.data(), bare.size());
        } catch (const ImageError&) {
        }
      }
    }
    throw;
  }
}

void check_size(std::uint64_t height, std::uint64_t width) {
  if (height * width > kMaxPixels) {
    throw ImageError("Images may have up to " + std::to_string(kMaxPixels) + " pixels. Received: " +
                         std::to_string(width) + " x " + std::to_string(height),
                     ImageError::Reason::kTooManyPixels);
  }
}

void broken_header(const std::string& why, const std::uint8_t* data, std::size_t size) {
  throw ImageError("The header of the image is broken: " + why + ". Received: " + first_bytes(data, size),
                   ImageError::Reason::kBrokenImage);
}

void broken_pixels(const std::string& why, std::size_t size) {
  throw ImageError("The image is truncated or broken: " + why + ". Received: " + std::to_string(size) + " bytes",
                   ImageError::Reason::kBrokenImage);
}

}  // namespace spin
