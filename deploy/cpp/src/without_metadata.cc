#include "without_metadata.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace spin {
namespace {

constexpr std::size_t kPngMagicSize = 8, kJpegMagicSize = 2, kChunkOverhead = 12;
// What decides about pixels; animation chunks do not, for the first frame.
constexpr std::array<const char*, 5> kChunks = {"IHDR", "PLTE", "tRNS", "IDAT", "IEND"};

using Bytes = std::vector<std::uint8_t>;

Bytes bare_png(const std::uint8_t* data, std::size_t size) {
  Bytes kept(data, data + kPngMagicSize);
  for (std::size_t place = kPngMagicSize; place + kChunkOverhead <= size;) {
    const std::uint8_t* chunk = data + place;
    const std::size_t length = std::size_t{chunk[0]} << 24 | chunk[1] << 16 | chunk[2] << 8 | chunk[3];
    const std::size_t whole = std::min(length + kChunkOverhead, size - place);
    if (std::any_of(kChunks.begin(), kChunks.end(),
                    [&](const char* name) { return std::memcmp(chunk + 4, name, 4) == 0; })) {
      kept.insert(kept.end(), chunk, chunk + whole);
    }
    place += whole;
  }
  return kept;
}

Bytes bare_jpeg(const std::uint8_t* data, std::size_t size) {
  Bytes kept(data, data + kJpegMagicSize);
  std::size_t place = kJpegMagicSize;
  // Segments up to the start of the scan; the rest is pixels.
  while (place + 4 <= size && data[place] == 0xFF && data[place + 1] != 0xDA) {
    const std::uint8_t marker = data[place + 1];
    const std::size_t length = std::size_t{data[place + 2]} << 8 | data[place + 3];
    const std::size_t whole = std::min(length + 2, size - place);
    // JFIF (APP0) and Adobe's (APP14) say how colours are stored.
    if (!((marker >= 0xE1 && marker <= 0xED) || marker == 0xEF || marker == 0xFE)) {
      kept.insert(kept.end(), data + place, data + place + whole);
    }
    place += whole;
  }
  kept.insert(kept.end(), data + place, data + size);
  return kept;
}

}  // namespace

std::vector<std::uint8_t> without_metadata(const std::uint8_t* data, std::size_t size) {
  if (size >= kPngMagicSize && data[0] == 0x89) {
    return bare_png(data, size);
  }
  if (size >= kJpegMagicSize && data[0] == 0xFF) {
    return bare_jpeg(data, size);
  }
  return Bytes(data, data + size);
}

}  // namespace spin
