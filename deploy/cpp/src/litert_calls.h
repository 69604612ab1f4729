// What all that calls LiteRT shares. Errors are ModelErrors without the name of the model.
#ifndef SPIN_LITERT_CALLS_H_
#define SPIN_LITERT_CALLS_H_

#include <algorithm>
#include <string>
#include <vector>

#include "litert.h"
#include "spin/recognizer.h"

namespace spin {

inline void check(LiteRtStatus status, const char* what) {
  if (status != kLiteRtStatusOk) {
    throw ModelError(std::string(what) + " (status " + std::to_string(status) + ")");
  }
}

inline std::vector<int> shape(const LiteRtLayout& layout) {
  constexpr unsigned kMaxRank = sizeof layout.dimensions / sizeof *layout.dimensions;
  return std::vector<int>(layout.dimensions, layout.dimensions + std::min<unsigned>(layout.rank, kMaxRank));
}

inline std::string shown(const LiteRtLayout& layout) {
  std::string text = "(";
  for (const int size : shape(layout)) {
    text += (text.size() > 1 ? ", " : "") + std::to_string(size);
  }
  return text + ")";
}

// Calls a function with the values of a buffer, at least `count` of them.
template <typename Function>
void with_values(LiteRtTensorBuffer buffer, int mode, std::size_t count, Function function) {
  std::size_t size = 0;
  check(LiteRtGetTensorBufferSize(buffer, &size), "a buffer without size");
  if (size < count * sizeof(float)) {
    throw ModelError("a buffer is too small");
  }
  void* values = nullptr;
  check(LiteRtLockTensorBuffer(buffer, &values, mode), "a buffer cannot be locked");
  function(static_cast<float*>(values));
  check(LiteRtUnlockTensorBuffer(buffer), "a buffer cannot be unlocked");
}

}  // namespace spin

#endif  // SPIN_LITERT_CALLS_H_
