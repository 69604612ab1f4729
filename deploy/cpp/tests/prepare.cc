// What models read of image files, one path a line on stdin: for each of them, and of each way to turn it, on stdout
// `DEGREES HEIGHT WIDTH WIDE COUNT` (the size is what is left without even ground), a line end, and COUNT float32 values.
//
//     prepare PREPROCESSING HEIGHT WIDTH WIDE_HEIGHT WIDE_WIDTH < PATHS       (0 0: no size for wide pictures)
#include <cstdlib>
#include <iostream>

#include "contract.h"
#include "files.h"
#include "image.h"
#include "preprocessing.h"

int main(int argc, char** argv) {
  if (argc != 6) {
    return 2;
  }
  spin::Metadata metadata;
  metadata.preprocessing = std::atoi(argv[1]);
  metadata.size = {std::atoi(argv[2]), std::atoi(argv[3])};
  const spin::Size wide = {std::atoi(argv[4]), std::atoi(argv[5])};
  if (wide.height > 0) {
    metadata.wide_size = wide;
  }
  std::string path;
  while (std::getline(std::cin, path)) {
    const std::string bytes = spin::read_file(path);
    const spin::Image image = spin::decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
    const spin::View view = spin::cut(spin::upright(image), metadata);
    for (const int degrees : spin::contract::kTurns) {
      const spin::Input input = spin::prepare(spin::turned(view, degrees), metadata);
      std::cout << degrees << ' ' << view.height << ' ' << view.width << ' ' << input.wide << ' ' << input.values.size()
                << '\n';
      std::cout.write(reinterpret_cast<const char*>(input.values.data()),
                      static_cast<std::streamsize>(input.values.size() * sizeof(float)));
    }
  }
  return 0;
}
