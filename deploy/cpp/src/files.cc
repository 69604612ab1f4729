#include "files.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <mutex>
#include <thread>

#include "image.h"
#include "image_names.h"
#include "text.h"

namespace spin {
namespace {

// What is read at once beyond the size that the file was said to have.
constexpr std::size_t kMoreBytes = 1 << 16;

bool is_folder(const std::string& path) {
  struct stat status {};
  return stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
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
    if (entry->d_name[0] != '.') {
      names.push_back(entry->d_name);
    }
  }
  return names;
}

// A file is an image by its name, or by its first bytes: images without a suffix, or with one of their own.
bool is_image(const std::string& path, const std::string& name);

// Whether a folder holds a file that is called like an image.
bool holds_images(const std::string& folder) {
  try {
    const std::vector<std::string> names = names_in(folder);
    return std::any_of(names.begin(), names.end(), is_image_name);
  } catch (const FileError&) {
    return false;
  }
}

// The number in /dev/fd/N, /proc/self/fd/N, of /dev/stdin and of "-"; -1 for other paths.
int descriptor_of(const std::string& path) {
  if (path == "-" || path == "/dev/stdin") {
    return 0;
  }
  for (const std::string start : {"/dev/fd/", "/proc/self/fd/"}) {
    if (path.compare(0, start.size(), start) == 0) {
      const std::string number = path.substr(start.size());
      const bool is_number = !number.empty() && number.size() < 9 && number.find_first_not_of("0123456789") == number.npos;
      return is_number ? std::stoi(number) : -1;
    }
  }
  return -1;
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

bool is_image(const std::string& path, const std::string& name) {
  if (is_image_name(name)) {
    return true;
  }
  struct stat status {};
  if (stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) {
    return false;
  }
  const Descriptor descriptor(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  char head[kHeadBytes];
  const ssize_t count = descriptor < 0 ? -1 : read(descriptor, head, sizeof head);
  return count > 0 && begins_like_an_image(std::string(head, static_cast<std::size_t>(count)));
}

// How long a named pipe may have nobody who writes to it.
constexpr std::chrono::seconds kPipeTime{5};

}  // namespace

bool is_pipe(const std::string& path) {
  struct stat status {};
  if (path == "-") {
    return true;
  }
  // A socket can only be read by whom it was handed to.
  return stat(path.c_str(), &status) == 0 &&
         (S_ISFIFO(status.st_mode) || (S_ISSOCK(status.st_mode) && descriptor_of(path) >= 0));
}

std::string read_pipe(const std::string& path) {
  // What is given twice is read once.
  static std::mutex one_at_a_time;
  const std::lock_guard<std::mutex> lock(one_at_a_time);
  const int number = descriptor_of(path);
  // Opening anew what the process has open would lose whether its writer has gone.
  const Descriptor descriptor(number >= 0 ? fcntl(number, F_DUPFD_CLOEXEC, 0)
                                          : open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (descriptor < 0) {
    throw FileError(std::strerror(errno));
  }
  bool waits = number < 0;
  const auto end = std::chrono::steady_clock::now() + kPipeTime;
  std::string bytes;
  while (true) {
    const std::size_t used = bytes.size();
    bytes.resize(used + kMoreBytes);
    const ssize_t count = read(descriptor, &bytes[used], kMoreBytes);
    const int reason = errno;
    bytes.resize(used + static_cast<std::size_t>(std::max<ssize_t>(count, 0)));
    if (bytes.size() > kMaxBytes) {
      throw FileError("Files may have up to " + std::to_string(kMaxBytes) + " bytes. Received: more");
    }
    if (count > 0 || (count < 0 && reason == EINTR)) {
      continue;
    }
    if (count < 0 && (reason == EAGAIN || reason == EWOULDBLOCK)) {
      // Somebody has it open and has not written yet.
      pollfd waiting{descriptor, POLLIN, 0};
      poll(&waiting, 1, 1000);
      waits = false;
    } else if (count < 0) {
      throw FileError(std::strerror(reason));
    } else if (!bytes.empty() || !waits) {
      return bytes;
    } else if (std::chrono::steady_clock::now() > end) {
      throw FileError("Nobody writes to this named pipe for " + std::to_string(kPipeTime.count()) + " s");
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

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

std::vector<Found> find_images(const std::vector<std::string>& arguments,
                               const std::function<void(const std::string&, const std::string&)>& say) {
  std::vector<Found> paths;
  for (const std::string& argument : arguments) {
    if (!is_folder(argument)) {
      paths.push_back({argument, "", is_pipe(argument)});
      continue;
    }
    const std::string folder = tidied(argument);
    std::vector<std::pair<std::u32string, std::string>> images, inner;
    std::vector<std::string> names;
    try {
      names = names_in(argument);
    } catch (const FileError& error) {
      paths.push_back({argument, error.what(), false});
      continue;
    }
    for (const std::string& name : names) {
      const std::string path = joined(folder, name);
      if (is_folder(path)) {
        if (holds_images(path)) {
          inner.emplace_back(with_escaped_bytes(name), name);
        }
      } else if (is_image(path, name)) {
        images.emplace_back(with_escaped_bytes(path), path);
      }
    }
    if (images.empty()) {
      paths.push_back(
          {argument, "the folder holds no image files (.jpg, .png, .tif, .webp, .avif and their like)", false});
    }
    std::sort(images.begin(), images.end());
    std::sort(inner.begin(), inner.end());
    if (!inner.empty()) {
      const std::string count =
          inner.size() > 1 ? std::to_string(inner.size()) + " folders in it hold images" : "a folder in it holds images";
      say(argument, count + ", which are not read: " + inner[0].second + (inner.size() > 1 ? ", ..." : ""));
    }
    for (auto& image : images) {
      paths.push_back({std::move(image.second), "", false});
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
