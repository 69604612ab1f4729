// PNG files by libpng: palettes, transparency over white, 16 bits cut to their upper byte, interlacing.

#include <csetjmp>
#include <cstdio>
#include <cstring>

#include <png.h>

#include "exif.h"
#include "image.h"
#include "png_pixels.h"

namespace spin {
namespace {

// libpng jumps out of its depths on errors. So that no destructor is jumped over, the functions that call setjmp hold
// plain C values only; what needs cleaning up lives in this class, outside of them.
class Decoder {
 public:
  Decoder(const std::uint8_t* data, std::size_t size) : data_(data), left_(size) {}
  ~Decoder() { png_destroy_read_struct(&png_, &info_, &end_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Each step answers whether it succeeded; message() says why not.
  bool read_header() {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, [](png_structp, png_const_charp) {});
    info_ = png_ ? png_create_info_struct(png_) : nullptr;
    end_ = info_ ? png_create_info_struct(png_) : nullptr;
    if (!end_) {
      std::snprintf(message_, sizeof message_, "libpng cannot start");
      return false;
    }
    if (setjmp(jump_)) {
      return false;
    }
    png_set_read_fn(png_, this, [](png_structp png, png_bytep target, std::size_t count) {
      auto* self = static_cast<Decoder*>(png_get_io_ptr(png));
      if (count > self->left_) {
        png_error(png, "image file is truncated");
      }
      std::memcpy(target, self->data_, count);
      self->data_ += count;
      self->left_ -= count;
    });
    // The limit is on the pixels, not on the sides.
    png_set_user_limits(png_, PNG_UINT_31_MAX, PNG_UINT_31_MAX);
    // Colour profiles and the like are not looked at; they could only be broken.
    static const png_byte wanted[] = {'e', 'X', 'I', 'f', 0, 't', 'E', 'X', 't', 0, 'z', 'T', 'X', 't', 0,
                                      'i', 'T', 'X', 't', 0};
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, wanted, 4);
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png_, info_);
    return true;
  }

  bool read_rows(png_bytep* rows) {
    if (setjmp(jump_)) {
      // Behind the last row libpng looks for the end of the data. Whatever it finds there, the pixels are whole.
      const bool interlaced = png_get_interlace_type(png_, info_) != PNG_INTERLACE_NONE;
      return interlaced ? png_get_current_pass_number(png_) >= PNG_INTERLACE_ADAM7_PASSES
                        : png_get_current_row_number(png_) >= png_get_image_height(png_, info_);
    }
    png_read_image(png_, rows);
    return true;
  }

  // Sets up what turns every kind of PNG into one byte a sample, or leaves two a sample where 16 bits are not `cut`.
  bool start(bool cut) {
    if (setjmp(jump_)) {
      return false;
    }
    // As in Pillow: the compressed stream has a checksum of its own, and the headers have been checked.
    png_set_crc_action(png_, PNG_CRC_QUIET_USE, PNG_CRC_QUIET_USE);
    if (cut) {
      png_set_strip_16(png_);
    }
    if (png_get_color_type(png_, info_) == PNG_COLOR_TYPE_GRAY) {
      png_set_expand_gray_1_2_4_to_8(png_);
    } else {
      png_set_packing(png_);
    }
    png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }

  // The orientation may stand after the pixels. They have been read by then: no fault after them counts.
  void read_end() {
    if (setjmp(jump_)) {
      return;
    }
    png_read_end(png_, end_);
  }

  int file_orientation() {
    std::string exif, xmp;
    for (png_infop info : {info_, end_}) {
      png_uint_32 length = 0;
      png_bytep bytes = nullptr;
      if (png_get_eXIf_1(png_, info, &length, &bytes) && bytes) {
        exif.assign(reinterpret_cast<char*>(bytes), length);
      }
      png_textp texts = nullptr;
      const int count = png_get_text(png_, info, &texts, nullptr);
      for (int i = 0; i < count; ++i) {
        const std::size_t size = texts[i].compression > 0 ? texts[i].itxt_length : texts[i].text_length;
        const std::string content(texts[i].text ? texts[i].text : "", texts[i].text ? size : 0);
        if (std::strcmp(texts[i].key, "XML:com.adobe.xmp") == 0) {
          xmp = content;
        } else if (std::strcmp(texts[i].key, "Raw profile type exif") == 0 && exif.empty()) {
          exif = from_hexadecimal(content);
        }
      }
    }
    return orientation(exif, xmp);
  }

  png_structp png() const { return png_; }
  png_infop info() const { return info_; }
  const char* message() const { return message_; }

 private:
  static void on_error(png_structp png, png_const_charp message) {
    auto* self = static_cast<Decoder*>(png_get_error_ptr(png));
    std::snprintf(self->message_, sizeof self->message_, "%s", message);
    std::longjmp(self->jump_, 1);
  }

  // What ImageMagick writes: an empty line, a name, a length, and then the bytes in hexadecimal digits.
  static std::string from_hexadecimal(const std::string& text) {
    std::size_t at = 0;
    for (int line = 0; line < 3 && at != std::string::npos; ++line) {
      at = text.find('\n', at);
      at = at == std::string::npos ? at : at + 1;
    }
    std::string bytes;
    int high = -1;
    for (; at < text.size(); ++at) {
      const char* digits = "0123456789abcdef";
      const char lower = static_cast<char>(text[at] >= 'A' && text[at] <= 'F' ? text[at] + 32 : text[at]);
      const char* found = lower ? std::strchr(digits, lower) : nullptr;
      if (!found) {
        continue;
      }
      const int value = static_cast<int>(found - digits);
      if (high >= 0) {
        bytes += static_cast<char>(high << 4 | value);
        high = -1;
      } else {
        high = value;
      }
    }
    return bytes;
  }

  const std::uint8_t* data_;
  std::size_t left_;
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  png_infop end_ = nullptr;
  std::jmp_buf jump_;
  char message_[256] = "";
};

}  // namespace

Image decode_png(const std::uint8_t* data, std::size_t size) {
  Decoder decoder(data, size);
  if (!decoder.read_header()) {
    broken_header(decoder.message(), data, size);
  }
  Image image;
  image.height = png_get_image_height(decoder.png(), decoder.info());
  image.width = png_get_image_width(decoder.png(), decoder.info());
  check_size(image.height, image.width);
  const Samples samples(decoder.png(), decoder.info());
  if (!decoder.start(/*cut=*/!samples.is_grey_16())) {
    broken_pixels(decoder.message(), size);
  }
  const std::size_t row_size = png_get_rowbytes(decoder.png(), decoder.info());
  std::vector<std::uint8_t> pixels(image.height * row_size);
  std::vector<png_bytep> rows(image.height);
  for (std::size_t y = 0; y < image.height; ++y) {
    rows[y] = pixels.data() + y * row_size;
  }
  if (!decoder.read_rows(rows.data())) {
    broken_pixels(decoder.message(), size);
  }
  decoder.read_end();
  image.orientation = decoder.file_orientation();
  image.channels = samples.channels();
  image.pixels =
      samples.is_grey_16() ? cut_grey_16(pixels) : samples.over_ground(pixels, row_size / image.width);
  return image;
}

}  // namespace spin
