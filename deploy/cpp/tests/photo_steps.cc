// Steps of finding words, for comparing them with Python's, number by number:
//
//     photo_steps map HEIGHT WIDTH FILE              float32 values of a map -> a line of corners and score a rectangle
//     photo_steps letterbox ROWS COLUMNS HEIGHT WIDTH IMAGE     -> the input as bytes on stdout
//     photo_steps crop X0 Y0 ... X3 Y3 IMAGE         -> height, width, channels and pixels of a straightened word
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <iostream>

#include "files.h"
#include "image.h"
#include "letterbox.h"
#include "straighten.h"
#include "text_map.h"

int main(int argc, char** argv) {
  const std::string step = argc > 1 ? argv[1] : "";
  const auto number = [&](int i) { return static_cast<std::size_t>(std::atoi(argv[i])); };
  if (step == "map" && argc == 5) {
    const std::string bytes = spin::read_file(argv[4]);
    std::vector<float> map(bytes.size() / sizeof(float));
    std::memcpy(map.data(), bytes.data(), map.size() * sizeof(float));
    if (map.size() != number(2) * number(3)) {
      return 2;
    }
    for (const spin::Place& place : spin::find_quadrilaterals(map.data(), number(2), number(3), number(3))) {
      for (const double value : place.corners) {
        std::printf("%.17g ", value);
      }
      std::printf("%.17g\n", place.score);
    }
    return 0;
  }
  if (argc < 3) {
    return 2;
  }
  const std::string bytes = spin::read_file(argv[argc - 1]);
  const spin::Image image = spin::decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  if (step == "letterbox" && argc == 7) {
    for (const float value : spin::letterbox(spin::upright(image), number(2), number(3), number(4), number(5))) {
      std::cout.put(static_cast<char>(static_cast<std::uint8_t>(value)));
    }
    return 0;
  }
  if (step == "crop" && argc == 11) {
    spin::Corners corners{};
    for (std::size_t i = 0; i < 8; ++i) {
      corners[i] = std::atof(argv[i + 2]);
    }
    const std::optional<spin::Image> crop = spin::cut_out(spin::upright(image), corners);
    if (crop) {
      std::cout << crop->height << " " << crop->width << " " << crop->channels << "\n";
      std::cout.write(reinterpret_cast<const char*>(crop->pixels.data()), static_cast<std::streamsize>(crop->pixels.size()));
    }
    return 0;
  }
  return 2;
}
