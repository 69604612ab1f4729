// The command line of spin_read: the flags of bin/recognize.py.
#ifndef SPIN_ARGUMENTS_H_
#define SPIN_ARGUMENTS_H_

#include <stdexcept>
#include <string>
#include <vector>

#include "spin/recognizer.h"

namespace spin {

// A flag that does not exist, or a value that it does not take.
class FlagError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Arguments {
  std::string model;  // empty: the default one
  std::string detector;  // empty: the images are crops of one word each
  std::string save_rectified;
  bool jsonl = false;
  Turn turn = Turn::kTall;
  bool turn_tall = true;
  bool help = false;
  int threads = 0;  // 0: one for each core this process may use
  std::vector<std::string> paths;
};

// Flags may stand before and after the paths, with one dash or two, the value behind = or as the next argument; `--`
// ends them. Throws FlagError.
Arguments parse_arguments(int argc, char** argv);

extern const char kUsage[];

}  // namespace spin

#endif  // SPIN_ARGUMENTS_H_
