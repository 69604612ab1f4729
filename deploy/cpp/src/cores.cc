#include "cores.h"

#include <sched.h>

#include <algorithm>
#include <fstream>
#include <map>
#include <sstream>
#include <thread>
#include <vector>

namespace spin {
namespace {

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) {
    parts.push_back(part);
  }
  return parts;
}

std::vector<std::string> lines_of(const std::string& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    lines.push_back(line);
  }
  return lines;
}

// Spaces, tabs, line ends and backslashes stand as \040 and the like.
std::string unescaped(const std::string& field) {
  const auto is_octal = [&](std::size_t at) { return at < field.size() && field[at] >= '0' && field[at] <= '7'; };
  std::string result;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (field[i] == '\\' && is_octal(i + 1) && is_octal(i + 2) && is_octal(i + 3)) {
      result += static_cast<char>((field[i + 1] - '0') * 64 + (field[i + 2] - '0') * 8 + (field[i + 3] - '0'));
      i += 3;
    } else {
      result += field[i];
    }
  }
  return result;
}

// Cores that one group leaves, rounded up; `most` where it has no quota ("max" or -1, or no such file).
int quota_of(const std::string& group, bool is_second, int most) {
  std::string text;
  const std::vector<std::string> files =
      is_second ? std::vector<std::string>{"cpu.max"} : std::vector<std::string>{"cpu.cfs_quota_us", "cpu.cfs_period_us"};
  for (const std::string& file : files) {
    for (const std::string& line : lines_of(group + "/" + file)) {
      text += line + " ";
    }
  }
  std::istringstream numbers(text);
  long long quota = 0, period = 0;
  if (!(numbers >> quota >> period) || quota <= 0 || period <= 0) {
    return most;
  }
  const long long cores = quota / period + (quota % period != 0 ? 1 : 0);
  return static_cast<int>(std::min<long long>(cores, most));
}

}  // namespace

int within_quotas(int most, const std::string& proc) {
  std::map<std::string, std::string> paths;
  for (const std::string& line : lines_of(proc + "/cgroup")) {
    // Number, controllers of version 1 (none for version 2), path.
    const std::size_t first = line.find(':');
    const std::size_t second = first == std::string::npos ? first : line.find(':', first + 1);
    if (second == std::string::npos) {
      continue;
    }
    const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
    for (const std::string& controller : controllers.empty() ? std::vector<std::string>{""} : split(controllers, ',')) {
      paths[controller] = path;
    }
  }
  for (const std::string& line : lines_of(proc + "/mountinfo")) {
    const std::size_t middle = line.find(" - ");
    const std::vector<std::string> fields = split(line.substr(0, middle), ' ');
    const std::vector<std::string> kinds =
        middle == std::string::npos ? std::vector<std::string>() : split(line.substr(middle + 3), ' ');
    if (fields.size() < 5 || kinds.size() < 3) {
      continue;
    }
    const bool is_second = kinds[0] == "cgroup2";
    const std::vector<std::string> options = split(kinds[2], ',');
    const bool has_quota =
        is_second || (kinds[0] == "cgroup" && std::find(options.begin(), options.end(), "cpu") != options.end());
    const auto path = paths.find(is_second ? "" : "cpu");
    if (!has_quota || path == paths.end()) {
      continue;
    }
    std::string root = unescaped(fields[3]);
    root.erase(root.find_last_not_of('/') + 1);
    // A container may see the tree from its own group on, while its path is told from the machine's root.
    const bool lies_in = (path->second + "/").compare(0, root.size() + 1, root + "/") == 0;
    std::string group = unescaped(fields[4]);
    most = quota_of(group, is_second, most);
    for (const std::string& part : split(lies_in ? path->second.substr(root.size()) : "", '/')) {
      if (!part.empty() && part != "." && part != "..") {
        group += "/" + part;
        most = quota_of(group, is_second, most);
      }
    }
  }
  return std::max(1, most);
}

int num_cores() {
  cpu_set_t set;
  const int affinity = sched_getaffinity(0, sizeof set, &set) == 0 ? CPU_COUNT(&set) : 0;
  const int cores = affinity > 0 ? affinity : std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return within_quotas(cores, "/proc/self");
}

}  // namespace spin
