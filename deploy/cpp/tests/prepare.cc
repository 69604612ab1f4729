// What models read of the image files named on stdin, one path a line: for each of them a line of JSON with the keys of
// tests/contract/cases/expected.json, `error`, `shape`, `box`, and of `views` `size` and `crc32`, each way turned.
//
//     prepare HEIGHT WIDTH WIDE_HEIGHT WIDE_WIDTH PREPROCESSING < PATHS       (0 0: no size for wide pictures)
#include <zlib.h>

#include <cstdlib>
#include <iostream>
#include <nlohmann/json.hpp>

#include "contract.h"
#include "files.h"
#include "ground.h"
#include "image.h"
#include "preprocessing.h"
#include "spin/recognizer.h"

namespace {

using Json = nlohmann::json;

Json looked_at(const std::string& path, const spin::Metadata& metadata) {
  const std::string bytes = spin::read_file(path);
  const spin::Image image = spin::decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
  const spin::View whole = spin::upright(image), view = spin::cut(whole, metadata);
  Json views, box;
  if (const auto found = metadata.preprocessing >= 2 ? spin::ground_box(whole) : std::nullopt) {
    box = {found->top, found->bottom, found->left, found->right};
  }
  for (const int degrees : spin::contract::kTurns) {
    const spin::Input input = spin::prepare(spin::turned(view, degrees), metadata);
    const spin::Size size = input.wide ? *metadata.wide_size : metadata.size;
    const auto* data = reinterpret_cast<const Bytef*>(input.values.data());
    const uLong checksum = crc32(0, data, static_cast<uInt>(input.values.size() * sizeof(float)));
    views[std::to_string(degrees)] = {{"size", {size.height, size.width}}, {"crc32", checksum}};
  }
  return {{"error", ""}, {"shape", {whole.height, whole.width, whole.channels}}, {"box", box}, {"views", views}};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    return 2;
  }
  spin::Metadata metadata;
  metadata.size = {std::atoi(argv[1]), std::atoi(argv[2])};
  metadata.preprocessing = std::atoi(argv[5]);
  if (std::atoi(argv[3]) > 0) {
    metadata.wide_size = {std::atoi(argv[3]), std::atoi(argv[4])};
  }
  const std::string reasons[] = {"empty_file",      "file_too_large", "not_an_image",
                                 "too_many_pixels", "broken_image",   "ambiguous_values"};
  for (std::string path; std::getline(std::cin, path);) {
    try {
      std::cout << looked_at(path, metadata) << '\n';
    } catch (const spin::ImageError& error) {
      std::cout << Json{{"error", reasons[static_cast<int>(error.reason())]}} << '\n';
    }
  }
  return 0;
}
