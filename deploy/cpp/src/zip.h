// The zip archive at the end of an exported model.
#ifndef SPIN_ZIP_H_
#define SPIN_ZIP_H_

#include <optional>
#include <string>

namespace spin {

// The content of one file of the archive at the end of `path`; nothing where there is no archive, no such file in it,
// or where it is damaged. Throws std::system_error where `path` cannot be read.
std::optional<std::string> read_zip_member(const std::string& path, const std::string& name);

// The comment that the archive holds about that file; empty where there is none.
std::string read_zip_comment(const std::string& path, const std::string& name);

}  // namespace spin

#endif  // SPIN_ZIP_H_
