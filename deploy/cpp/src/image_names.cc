#include "image_names.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <set>
#include <vector>

namespace spin {
namespace {

const std::set<std::string> kSuffixes = {
    ".jpg",  ".jpeg",  ".jpe",  ".jfif", ".jif",   ".jfi",   ".pjpeg", ".pjp", ".mpo", ".png", ".apng", ".gif",
    ".bmp",  ".dib",   ".tif",  ".tiff", ".webp",  ".ppm",   ".pgm",   ".pbm", ".pnm", ".pam", ".pfm",  ".avif",
    ".avifs", ".jp2",  ".j2k",  ".j2c",  ".jpc",   ".jpf",   ".jpx",   ".jpm", ".heic", ".heif", ".hif", ".heics",
    ".heifs", ".jxl",  ".jxr",  ".wdp",  ".hdp",   ".dng",   ".cr2",   ".cr3", ".nef", ".arw", ".orf",  ".rw2",
    ".raf",  ".svg",   ".svgz", ".psd",  ".xcf",   ".ico",   ".cur",   ".icns", ".tga", ".pcx", ".qoi", ".dds",
    ".exr",  ".hdr",   ".jls",  ".jng",  ".sgi",   ".xbm",   ".xpm",   ".wmf", ".emf"};

}  // namespace

bool is_image_name(const std::string& name) {
  std::string suffix = std::filesystem::path(name).extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(), [](unsigned char c) { return std::tolower(c); });
  return kSuffixes.count(suffix) != 0;
}

bool begins_like_an_image(const std::string& head) {
  const auto has = [&](const std::string& bytes, std::size_t at = 0) { return head.compare(at, bytes.size(), bytes) == 0; };
  using namespace std::string_literals;
  for (const std::string& magic :
       {"\xff\xd8\xff"s, "\x89PNG\r\n\x1a\n"s, "GIF87a"s, "GIF89a"s, "II*\0"s, "II+\0"s, "MM\0*"s, "MM\0+"s, "8BPS\0"s,
        "\0\0\0\x0cjP  \r\n\x87\n"s, "\xff\x4f\xff\x51"s, "\xff\x0a"s, "\0\0\0\x0cJXL \r\n\x87\n"s, "qoif"s, "DDS \x7c"s,
        "\x76\x2f\x31\x01"s, "II\xbc\x01"s, "gimp xcf "s}) {
    if (has(magic)) {
      return true;
    }
  }
  if (head.size() >= 12 && has("ftyp", 4)) {
    const std::string brand = head.substr(8, 4);
    const std::vector<std::string> brands = {"avif", "avis", "heic", "heim", "heis", "heix",
                                             "hevc", "hevm", "hevs", "hevx", "mif1", "msf1"};
    return std::find(brands.begin(), brands.end(), brand) != brands.end();
  }
  return (head.size() >= 12 && has("RIFF") && has("WEBP", 8)) || (head.size() >= 10 && has("BM") && has("\0\0\0\0"s, 6)) ||
         (head.size() >= 6 && has("\0\0"s) && (head[2] == 1 || head[2] == 2) && has("\0"s, 3) && has("\0"s, 5));
}

bool is_animated_png(const std::string& bytes) {
  if (bytes.compare(0, 4, "\x89PNG") != 0) {
    return false;
  }
  const std::string head = bytes.substr(0, bytes.find("IDAT"));
  const std::size_t at = head.find("acTL");
  // The chunk begins with the number of frames.
  return at != std::string::npos && at + 8 <= head.size() && head.compare(at + 4, 4, std::string("\0\0\0\1", 4)) > 0;
}

}  // namespace spin
