// JPEG files by libjpeg, with the settings that Pillow uses: the accurate integer transform, smooth upsampling, and a
// source that ends where the file ends, so that a file cut short is told from a whole one.

#include <csetjmp>
#include <cstdio>
#include <cstring>

// jpeglib.h needs size_t and FILE from the headers above.
#include <jpeglib.h>

#include "exif.h"
#include "image.h"

namespace spin {
namespace {

constexpr int kApp1 = JPEG_APP0 + 1;

// libjpeg calls back and jumps out of its depths on errors. So that no destructor is jumped over, the functions that
// call setjmp hold plain C values only; what needs cleaning up lives in this class, outside of them.
class Decoder {
 public:
  Decoder(const std::uint8_t* data, std::size_t size) {
    std::memset(&info_, 0, sizeof info_);
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = [](j_common_ptr info) {
      auto* self = static_cast<Decoder*>(info->client_data);
      info->err->format_message(info, self->message_);
      std::longjmp(self->jump_, 1);
    };
    // Warnings (corrupt data that can be bridged) are no reason to refuse a picture, as in Pillow.
    errors_.output_message = [](j_common_ptr) {};
    source_.next_input_byte = data;
    source_.bytes_in_buffer = size;
    source_.init_source = source_.term_source = [](j_decompress_ptr) {};
    // All there is has been handed over: what needs more is suspended for good.
    source_.fill_input_buffer = [](j_decompress_ptr) -> boolean { return FALSE; };
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.skip_input_data = [](j_decompress_ptr info, long count) {
      if (count <= 0) {
        return;
      }
      auto* self = static_cast<Decoder*>(info->client_data);
      const std::size_t left = info->src->bytes_in_buffer, wanted = static_cast<std::size_t>(count);
      const std::size_t skipped = wanted < left ? wanted : left;
      info->src->next_input_byte += skipped;
      info->src->bytes_in_buffer -= skipped;
      self->ended_ = self->ended_ || wanted > left;
    };
  }
  ~Decoder() { jpeg_destroy_decompress(&info_); }
  Decoder(const Decoder&) = delete;
  Decoder& operator=(const Decoder&) = delete;

  // Each step answers whether it succeeded; message() says why not.
  bool read_header() {
    if (setjmp(jump_)) {
      return false;
    }
    jpeg_create_decompress(&info_);
    info_.src = &source_;
    jpeg_save_markers(&info_, kApp1, 0xFFFF);
    int answer;
    do {
      answer = jpeg_read_header(&info_, FALSE);
    } while (answer == JPEG_HEADER_TABLES_ONLY);
    return answer == JPEG_HEADER_OK && !ended_ ? true : truncated();
  }

  bool start(J_COLOR_SPACE colours) {
    if (setjmp(jump_)) {
      return false;
    }
    info_.out_color_space = colours;
    info_.dct_method = JDCT_ISLOW;
    return jpeg_start_decompress(&info_) ? true : truncated();
  }

  bool read_rows(std::uint8_t* pixels, std::size_t row_size) {
    if (setjmp(jump_)) {
      return false;
    }
    while (info_.output_scanline < info_.output_height) {
      JSAMPROW row = pixels + info_.output_scanline * row_size;
      if (jpeg_read_scanlines(&info_, &row, 1) != 1) {
        return truncated();
      }
    }
    // As in Pillow: the end of the data may be missing, but what is there must be in order.
    jpeg_finish_decompress(&info_);
    return true;
  }

  const jpeg_decompress_struct& info() const { return info_; }
  const char* message() const { return message_; }

 private:
  bool truncated() {
    std::snprintf(message_, sizeof message_, "image file is truncated");
    return false;
  }

  jpeg_decompress_struct info_;
  jpeg_error_mgr errors_;
  jpeg_source_mgr source_;
  std::jmp_buf jump_;
  char message_[JMSG_LENGTH_MAX] = "";
  bool ended_ = false;
};

int file_orientation(const jpeg_decompress_struct& info) {
  static const char exif_name[] = {'E', 'x', 'i', 'f', 0, 0};
  static const std::string xmp_name("http://ns.adobe.com/xap/1.0/\0", 29);
  std::string exif, xmp;
  for (jpeg_saved_marker_ptr marker = info.marker_list; marker; marker = marker->next) {
    const std::string content(reinterpret_cast<const char*>(marker->data), marker->data_length);
    if (content.compare(0, sizeof exif_name, exif_name, sizeof exif_name) == 0) {
      exif += content.substr(exif.empty() ? 0 : sizeof exif_name);
    } else if (content.compare(0, xmp_name.size(), xmp_name) == 0) {
      xmp = content.substr(xmp_name.size());
    }
  }
  return orientation(exif, xmp);
}

std::uint8_t times(int a, int b) {
  const int product = a * b + 128;
  return static_cast<std::uint8_t>((product + (product >> 8)) >> 8);
}

// Adobe's files hold cyan, magenta, yellow and black inverted, and Pillow takes all as Adobe's.
void cmyk_to_rgb(const std::vector<std::uint8_t>& inverted, std::vector<std::uint8_t>& rgb) {
  for (std::size_t i = 0, o = 0; i < inverted.size(); i += 4, o += 3) {
    const int white = inverted[i + 3];
    for (std::size_t c = 0; c < 3; ++c) {
      const int value = white - times(255 - inverted[i + c], white);
      rgb[o + c] = static_cast<std::uint8_t>(value < 0 ? 0 : value);
    }
  }
}

}  // namespace

Image decode_jpeg(const std::uint8_t* data, std::size_t size) {
  Decoder decoder(data, size);
  if (!decoder.read_header()) {
    broken_header(decoder.message(), data, size);
  }
  const jpeg_decompress_struct& info = decoder.info();
  check_size(info.image_height, info.image_width);
  if (info.data_precision != 8) {
    broken_header("cannot handle " + std::to_string(info.data_precision) + "-bit layers", data, size);
  }
  if (info.num_components != 1 && info.num_components != 3 && info.num_components != 4) {
    broken_header("cannot handle " + std::to_string(info.num_components) + "-layer images", data, size);
  }
  const int components = info.num_components;
  if (!decoder.start(components == 1 ? JCS_GRAYSCALE : components == 3 ? JCS_RGB : JCS_CMYK)) {
    broken_pixels(decoder.message(), size);
  }
  Image image;
  image.height = info.output_height;
  image.width = info.output_width;
  image.channels = components == 1 ? 1 : 3;
  image.orientation = file_orientation(info);
  const std::size_t row_size = image.width * static_cast<std::size_t>(components);
  std::vector<std::uint8_t> pixels(image.height * row_size);
  if (!decoder.read_rows(pixels.data(), row_size)) {
    broken_pixels(decoder.message(), size);
  }
  if (components == 4) {
    image.pixels.resize(image.height * image.width * 3);
    cmyk_to_rgb(pixels, image.pixels);
  } else {
    image.pixels = std::move(pixels);
  }
  return image;
}

}  // namespace spin
