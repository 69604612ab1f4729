#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <set>

#include "image.h"
#include "text.h"

namespace spin {
namespace {

// Other files beside the images of a folder (labels, notes) are no mistake; a file named by the user is always tried.
const std::set<std::string> kSuffixes = {".bmp", ".gif", ".jpeg", ".jpg", ".pbm",  ".pgm",
                                         ".png", ".pnm", ".ppm",  ".tif", ".tiff", ".webp"};

// What is read at once beyond the size that the file was said to have.
constexpr std::size_t kMoreBytes = 1 << 16;

bool is_folder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::string lower_suffix(const std::string& name) {
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos || dot == 0 || dot + 1 == name.size()) {
    return "";
  }
  std::string suffix = name.substr(dot);
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return suffix;
}

// A path as Python's pathlib writes it: without empty parts and single dots.
std::string tidied(const std::string& path) {
  const std::size_t slashes = std::min(path.find_first_not_of('/'), path.size());
  const std::string root = slashes == 0 ? "" : slashes == 2 ? "//" : "/";
  std::string result;
  for (std::size_t start = 0; start < path.size();) {
    const std::size_t end = std::min(path.find('/', start), path.size());
    const std::string part = path.substr(start, end - start);
    if (!part.empty() && part != ".") {
      result += (result.empty() ? "" : "/") + part;
    }
    start = end + 1;
  }
  return root + result;
}

std::string joined(const std::string& folder, const std::string& name) {
  return folder.empty() ? name : folder.back() == '/' ? folder + name : folder + "/" + name;
}

std::vector<std::string> names_in(const std::string& folder) {
  const std::unique_ptr<DIR, int (*)(DIR*)> stream(opendir(folder.c_str()), closedir);
  if (!stream) {
    throw FileError(std::string("the folder cannot be read: ") + std::strerror(errno));
  }
  std::vector<std::string> names;
  while (const dirent* entry = readdir(stream.get())) {
    const std::string name = entry->d_name;
    if (name[0] != '.' && kSuffixes.count(lower_suffix(name)) != 0) {
      names.push_back(name);
    }
  }
  return names;
}

class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  ~Descriptor() {
    if (number_ >= 0) {
      close(number_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  operator int() const { return number_; }

 private:
  const int number_;
};

void check_regular(const struct stat& status) {
  if (S_ISDIR(status.st_mode)) {
    throw FileError(std::strerror(EISDIR));
  }
  if (!S_ISREG(status.st_mode)) {
    const char* kind = S_ISFIFO(status.st_mode) ? "a named pipe" : S_ISSOCK(status.st_mode) ? "a socket" : "a device";
    throw FileError(std::string("Only regular files are read, and this is ") + kind);
  }
}

void check_length(std::size_t size) {
  if (size > kMaxBytes) {
    throw FileError("Files may have up to " + std::to_string(kMaxBytes) + " bytes. Received: " + std::to_string(size) +
                    " bytes");
  }
}

}  // namespace

std::u32string with_escaped_bytes(const std::string& text) {
  std::u32string result;
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(at < text.size() ? text[at] : 0); };
    const unsigned char first = byte(i);
    const int more = first < 0x80 ? 0 : first >= 0xC2 && first < 0xE0 ? 1 : first >= 0xE0 && first < 0xF0 ? 2
                   : first >= 0xF0 && first < 0xF5 ? 3 : -1;
    char32_t code = more <= 0 ? first : first & (0x3F >> more);
    bool valid = more >= 0;
    for (int k = 1; valid && k <= more; ++k) {
      valid = (byte(i + static_cast<std::size_t>(k)) & 0xC0) == 0x80;
      code = code << 6 | (byte(i + static_cast<std::size_t>(k)) & 0x3F);
    }
    // Too long for its number, half of a surrogate pair, or beyond Unicode.
    valid = valid && !(more == 2 && code < 0x800) && !(more == 3 && (code < 0x10000 || code > 0x10FFFF)) &&
            !(code >= 0xD800 && code <= 0xDFFF);
    result += valid ? code : 0xDC00 + first;
    i += valid ? static_cast<std::size_t>(more) + 1 : 1;
  }
  return result;
}

std::vector<Found> find_images(const std::vector<std::string>& arguments) {
  std::vector<Found> paths;
  for (const std::string& argument : arguments) {
    if (!is_folder(argument)) {
      paths.push_back({argument, ""});
      continue;
    }
    const std::string folder = tidied(argument);
    std::vector<std::pair<std::u32string, std::string>> images;
    std::vector<std::string> names;
    try {
      names = names_in(argument);
    } catch (const FileError& error) {
      paths.push_back({argument, error.what()});
      continue;
    }
    for (const std::string& name : names) {
      const std::string path = joined(folder, name);
      if (!is_folder(path)) {
        images.emplace_back(with_escaped_bytes(path), path);
      }
    }
    if (images.empty()) {
      std::string list;
      for (const std::string& suffix : kSuffixes) {
        list += (list.empty() ? "" : ", ") + suffix;
      }
      paths.push_back({argument, "the folder holds no image files (" + list + ")"});
    }
    std::sort(images.begin(), images.end());
    for (auto& image : images) {
      paths.push_back({std::move(image.second), ""});
    }
  }
  return paths;
}

std::string read_file(const std::string& path) {
  // Looked at before it is opened, which alone makes some devices act, and after: another thing may lie there by then.
  struct stat status {};
  if (stat(path.c_str(), &status) != 0) {
    throw FileError(std::strerror(errno));
  }
  check_regular(status);
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (descriptor < 0 || fstat(descriptor, &status) != 0) {
    throw FileError(std::strerror(errno));
  }
  check_regular(status);
  check_length(static_cast<std::size_t>(status.st_size));
  std::string bytes;
  for (std::size_t used = 0, room = static_cast<std::size_t>(status.st_size) + 1;; room = kMoreBytes) {
    bytes.resize(used + room);
    const ssize_t count = read(descriptor, &bytes[used], room);
    if (count < 0 && errno != EINTR) {
      throw FileError(std::strerror(errno));
    }
    used += static_cast<std::size_t>(std::max<ssize_t>(count, 0));
    bytes.resize(used);
    check_length(used);
    if (count == 0) {
      return bytes;
    }
  }
}

}  // namespace spin
