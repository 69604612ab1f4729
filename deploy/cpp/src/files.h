// Which files a command line names, in which order.
#ifndef SPIN_FILES_H_
#define SPIN_FILES_H_

#include <stdexcept>
#include <string>
#include <vector>

namespace spin {

// A mistake in what the user gave; its message is the one line they see.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// An image file, or an argument that leads to none: then `problem` says why.
struct Found {
  std::string path;
  std::string problem;
};

// The files named by the arguments; of a folder, its image files by name, without those of folders in it.
std::vector<Found> find_images(const std::vector<std::string>& arguments);

// A file that cannot be read; what() is the reason alone.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The bytes of a regular file of at most kMaxBytes, or of the one that a link leads to: a named pipe or a device is
// refused instead of waited for. Throws FileError.
std::string read_file(const std::string& path);

// Text with every byte that is no UTF-8 as the code point U+DC00 + byte, as Python takes file names.
std::u32string with_escaped_bytes(const std::string& text);

}  // namespace spin

#endif  // SPIN_FILES_H_
