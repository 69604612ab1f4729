// What PNG samples mean: colours, transparency, and 16 bits.
#ifndef SPIN_PNG_PIXELS_H_
#define SPIN_PNG_PIXELS_H_

#include <png.h>

#include <cstdint>
#include <vector>

namespace spin {

struct Pixel {
  int red, green, blue, alpha;
};

// Makes pixels out of the samples that libpng gives, one byte each.
class Samples {
 public:
  Samples(png_structp png, png_infop info);

  bool is_grey_16() const { return type_ == PNG_COLOR_TYPE_GRAY && depth_ == 16; }
  // Also where transparency makes it three equal channels in Python: the grey of those is the same.
  int channels() const { return type_ & PNG_COLOR_MASK_COLOR ? 3 : 1; }

  // All pixels laid over their ground: white, or black where everything visible is light. `step` samples a pixel.
  std::vector<std::uint8_t> over_ground(const std::vector<std::uint8_t>& data, std::size_t step) const;

 private:
  Pixel pixel(const std::uint8_t* in) const;
  int ground_of(const std::vector<std::uint8_t>& data, std::size_t step) const;

int type_;   // PNG_COLOR_TYPE_...
  int depth_;  // bits a sample in the file
  const png_color* palette_ = nullptr;
  int palette_size_ = 0;
  png_bytep palette_alpha_ = nullptr;
  int palette_alpha_size_ = 0;
  bool has_transparency_ = false;
  bool has_clear_colour_ = false;
  Pixel clear_{0, 0, 0, 0};
};

// 16-bit grey, two bytes a sample, cut to the upper bytes. Throws ImageError where all values fit into the lower one:
// these are 8 bits that someone widened, or a very dark picture, and nobody can know.
std::vector<std::uint8_t> cut_grey_16(const std::vector<std::uint8_t>& wide);

}  // namespace spin

#endif  // SPIN_PNG_PIXELS_H_
