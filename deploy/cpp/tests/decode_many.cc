// Reads the image files named on stdin, one path a line, in one process, with the library and a model, and writes one
// line for each: `ok HEIGHT WIDTH CHANNELS CRC32<TAB>WORD` (size and checksum of the upright pixels), or
// `error MESSAGE`. The tests compare the lines with what Python makes of the same files, and run it with sanitizers.
//
//     decode_many MODEL < PATHS
#include <zlib.h>

#include <iostream>

#include "../src/files.h"
#include "image.h"
#include "spin/recognizer.h"

namespace {

std::uint32_t checksum(const spin::View& view) {
  uLong crc = crc32(0, nullptr, 0);
  for (std::size_t y = 0; y < view.height; ++y) {
    for (std::size_t x = 0; x < view.width; ++x) {
      crc = crc32(crc, view.at(y, x), static_cast<uInt>(view.channels));
    }
  }
  return static_cast<std::uint32_t>(crc);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "decode_many MODEL < PATHS\n";
    return 2;
  }
  const spin::Recognizer recognizer(argv[1]);
  std::string path;
  while (std::getline(std::cin, path)) {
    try {
      const std::string bytes = spin::read_file(path);
      const spin::Image image =
          spin::decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
      const spin::View view = spin::upright(image);
      std::cout << "ok " << view.height << ' ' << view.width << ' ' << view.channels << ' ' << checksum(view) << '\t'
                << recognizer.read(bytes).text << '\n';
    } catch (const spin::ImageError& error) {
      std::cout << "error " << error.what() << '\n';
    }
  }
  return 0;
}
