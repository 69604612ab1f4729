#include "png_pixels.h"

#include <algorithm>
#include <string>

#include "colour.h"
#include "contract.h"
#include "spin/recognizer.h"

namespace spin {
namespace {

int over(int value, int alpha, int ground) { return (value * alpha + ground * (255 - alpha) + 127) / 255; }

int grey_over_white(const Pixel& pixel) {
  return weighted_grey(over(pixel.red, pixel.alpha, 255), over(pixel.green, pixel.alpha, 255),
                       over(pixel.blue, pixel.alpha, 255));
}

}  // namespace

Samples::Samples(png_structp png, png_infop info)
    : type_(png_get_color_type(png, info)), depth_(png_get_bit_depth(png, info)) {
  png_colorp palette = nullptr;
  if (png_get_PLTE(png, info, &palette, &palette_size_)) {
    palette_ = palette;
  }
  png_color_16p clear = nullptr;
  has_transparency_ = (type_ & PNG_COLOR_MASK_ALPHA) != 0;
  if (!png_get_tRNS(png, info, &palette_alpha_, &palette_alpha_size_, &clear)) {
    palette_alpha_ = nullptr;
  } else if (type_ == PNG_COLOR_TYPE_PALETTE) {
    has_transparency_ = true;
  } else if (clear && !(type_ == PNG_COLOR_TYPE_GRAY && depth_ == 16)) {
    // 16-bit grey is read without its clear colour. Of 16 bits Pillow compares the lower eight.
    has_transparency_ = has_clear_colour_ = true;
    const bool colour = type_ == PNG_COLOR_TYPE_RGB;
    const png_uint_16 grey = depth_ == 1 ? (clear->gray ? 255 : 0) : clear->gray;
    clear_ = {(colour ? clear->red : grey) & 0xFF, (colour ? clear->green : grey) & 0xFF,
              (colour ? clear->blue : grey) & 0xFF, 0};
  }
}

Pixel Samples::pixel(const std::uint8_t* in) const {
  if (type_ == PNG_COLOR_TYPE_PALETTE) {
    // Beyond its end the palette is black.
    const png_color colour = *in < palette_size_ ? palette_[*in] : png_color{0, 0, 0};
    return {colour.red, colour.green, colour.blue, *in < palette_alpha_size_ ? palette_alpha_[*in] : 255};
  }
  const int count = channels();
  Pixel pixel{in[0], in[count == 3 ? 1 : 0], in[count == 3 ? 2 : 0], 255};
  if (type_ & PNG_COLOR_MASK_ALPHA) {
    pixel.alpha = in[count];
  } else if (has_clear_colour_ && pixel.red == clear_.red && pixel.green == clear_.green &&
             pixel.blue == clear_.blue) {
    pixel.alpha = 0;
  }
  return pixel;
}

int Samples::ground_of(const std::vector<std::uint8_t>& data, std::size_t step) const {
  bool visible = false;
  for (std::size_t i = 0; has_transparency_ && i < data.size(); i += step) {
    const Pixel seen = pixel(&data[i]);
    if (grey_over_white(seen) < contract::kLightInk) {
      return 255;
    }
    visible = visible || seen.alpha > contract::kVisibleAlpha;
  }
  return visible ? 0 : 255;
}

std::vector<std::uint8_t> Samples::over_ground(const std::vector<std::uint8_t>& data, std::size_t step) const {
  const int ground = ground_of(data, step);
  std::vector<std::uint8_t> result;
  result.reserve(data.size() / step * static_cast<std::size_t>(channels()));
  for (std::size_t i = 0; i < data.size(); i += step) {
    const Pixel seen = pixel(&data[i]);
    result.push_back(static_cast<std::uint8_t>(over(seen.red, seen.alpha, ground)));
    if (channels() == 3) {
      result.push_back(static_cast<std::uint8_t>(over(seen.green, seen.alpha, ground)));
      result.push_back(static_cast<std::uint8_t>(over(seen.blue, seen.alpha, ground)));
    }
  }
  return result;
}

std::vector<std::uint8_t> cut_grey_16(const std::vector<std::uint8_t>& wide) {
  std::vector<std::uint8_t> cut(wide.size() / 2);
  int lowest = 0xFFFF, highest = 0;
  for (std::size_t i = 0; i < cut.size(); ++i) {
    const int value = wide[2 * i] << 8 | wide[2 * i + 1];
    lowest = std::min(lowest, value);
    highest = std::max(highest, value);
    cut[i] = wide[2 * i];
  }
  if (highest > 0 && highest <= 255) {
    throw ImageError(
        "These 16-bit pixels seem to hold 8-bit values; bring them to 0..255 and to mode L first. Received: mode=I;16, "
        "values " +
            std::to_string(lowest) + " to " + std::to_string(highest),
        ImageError::Reason::kAmbiguousValues);
  }
  return cut;
}

}  // namespace spin
