// Which files a command line names, in which order.
#ifndef SPIN_FILES_H_
#define SPIN_FILES_H_

#include <functional>
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
  // A pipe that the user names, or "-", standard input.
  bool is_pipe;
};

// The files named by the arguments; of a folder, its image files by name, without those of folders in it, which `say`
// is told. Other files beside the images of a folder (labels, notes) are no mistake, and neither is what a file manager
// hides; a file named by the user is always tried.
std::vector<Found> find_images(const std::vector<std::string>& arguments,
                               const std::function<void(const std::string&, const std::string&)>& say);

// A file that cannot be read; what() is the reason alone.
class FileError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The bytes of a regular file of at most kMaxBytes, or of the one that a link leads to: a named pipe or a device is
// refused instead of waited for. Throws FileError.
std::string read_file(const std::string& path);

// Whether a path that the user names is "-" or leads to a pipe; what comes through it, up to its end. Throws FileError
// where that is too much, or nobody writes to a named pipe for some seconds.
bool is_pipe(const std::string& path);
std::string read_pipe(const std::string& path);

}  // namespace spin

#endif  // SPIN_FILES_H_
