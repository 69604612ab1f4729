#include "files.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <thread>

#include "image.h"
#include "image_names.h"

namespace spin {
namespace {

namespace fs = std::filesystem;

// What is read at once beyond the size that the file was said to have.
constexpr std::size_t kMoreBytes = 1 << 16;

std::vector<fs::path> names_in(const std::string& folder) {
  std::vector<fs::path> names;
  try {
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
      if (const fs::path name = entry.path().filename(); name.native()[0] != '.') {
        names.push_back(name);
      }
    }
  } catch (const fs::filesystem_error& error) {
    throw FileError("the folder cannot be read: " + error.code().message());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// Whether a folder holds a file that is called like an image.
bool holds_images(const std::string& folder) {
  try {
    const std::vector<fs::path> names = names_in(folder);
    return std::any_of(names.begin(), names.end(), [](const fs::path& name) { return is_image_name(name.string()); });
  } catch (const FileError&) {
    return false;
  }
}

// The number in /dev/fd/N, /proc/self/fd/N, of /dev/stdin and of "-"; -1 for other paths.
int descriptor_of(const fs::path& path) {
  if (path == "-" || path == "/dev/stdin") {
    return 0;
  }
  const std::string number = path.filename().string();
  const bool is_number = !number.empty() && number.size() < 9 && number.find_first_not_of("0123456789") == number.npos;
  const bool is_open = path.parent_path() == "/dev/fd" || path.parent_path() == "/proc/self/fd";
  return is_number && is_open ? std::stoi(number) : -1;
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

// A file is an image by its name, or by its first bytes: images without a suffix, or with one of their own.
bool is_image(const fs::path& path) {
  std::error_code unknown;
  if (is_image_name(path.filename().string())) {
    return true;
  }
  std::string head(kHeadBytes, '\0');
  std::ifstream file;
  if (fs::is_regular_file(path, unknown)) {
    file.open(path, std::ios::binary);
    file.read(head.data(), static_cast<std::streamsize>(head.size()));
  }
  head.resize(static_cast<std::size_t>(file.gcount()));
  return begins_like_an_image(head);
}

// How long a named pipe may have nobody who writes to it.
constexpr std::chrono::seconds kPipeTime{5};

}  // namespace

bool is_pipe(const std::string& path) {
  std::error_code unknown;
  // A socket can only be read by whom it was handed to.
  return path == "-" || fs::is_fifo(path, unknown) || (fs::is_socket(path, unknown) && descriptor_of(path) >= 0);
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

std::vector<Found> find_images(const std::vector<std::string>& arguments,
                               const std::function<void(const std::string&, const std::string&)>& say) {
  std::vector<Found> paths;
  for (const std::string& argument : arguments) {
    std::error_code unknown;
    if (!fs::is_directory(argument, unknown)) {
      paths.push_back({argument, "", is_pipe(argument)});
      continue;
    }
    std::vector<fs::path> names, inner;
    try {
      names = names_in(argument);
    } catch (const FileError& error) {
      paths.push_back({argument, error.what(), false});
      continue;
    }
    const std::size_t before = paths.size();
    for (const fs::path& name : names) {
      const fs::path path = fs::path(argument) / name;
      if (!fs::is_directory(path, unknown)) {
        if (is_image(path)) {
          paths.push_back({path.string(), "", false});
        }
      } else if (holds_images(path)) {
        inner.push_back(name);
      }
    }
    if (paths.size() == before) {
      paths.push_back(
          {argument, "the folder holds no image files (.jpg, .png, .tif, .webp, .avif and their like)", false});
    }
    if (!inner.empty()) {
      const std::string count =
          inner.size() > 1 ? std::to_string(inner.size()) + " folders in it hold images" : "a folder in it holds images";
      say(argument, count + ", which are not read: " + inner[0].string() + (inner.size() > 1 ? ", ..." : ""));
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
