// The zip archive at the end of an exported model. Read here and not by a library: minizip and libzip are one more package
// for whoever builds or links this, and neither is found by find_package on Debian with that package alone (minizip has no
// CMake files there, and libzip's name programs of three other packages).
#ifndef SPIN_ZIP_H_
#define SPIN_ZIP_H_

#include <optional>
#include <string>

namespace spin {

struct ZipMember {
  std::string content;
  std::string comment;  // that the archive holds about it; empty where there is none
};

// One file of the archive at the end of `path`; nothing where there is no archive, no such file in it, or where it is
// damaged or too large for metadata. Throws std::system_error where `path` cannot be read.
std::optional<ZipMember> read_zip_member(const std::string& path, const std::string& name);

}  // namespace spin

#endif  // SPIN_ZIP_H_
