// What read_photo needs of a Detector beside what everybody sees.
#ifndef SPIN_DETECTOR_H_
#define SPIN_DETECTOR_H_

#include <mutex>
#include <optional>

#include "image.h"
#include "metadata.h"
#include "runtime.h"
#include "spin/photo.h"

namespace spin {

class Detector::Implementation {
 public:
  Implementation(const std::string& path, int num_threads);

  std::vector<Place> find(const View& view);

 private:
  struct Input {
    DetectorSize size;
    std::size_t signature = 0;
    LiteRtRankedTensorType image{}, probabilities{};
  };
  // Where a picture goes, and the size to which it is resized.
  struct Target {
    const Input* input;
    std::size_t rows, columns;
  };

  Input find_input(const DetectorSize& size) const;
  Target target_of(const View& view) const;
  std::vector<float> run(const Input& input, const std::vector<float>& image);

  const std::string path_;
  std::vector<Input> inputs_;
  std::optional<LoadedModel> model_;
  std::mutex mutex_;
  OwnedCompiled compiled_;
};

// What may look into a Detector.
struct Photographs {
  static Detector::Implementation& of(const Detector& detector) { return *detector.implementation_; }
};

}  // namespace spin

#endif  // SPIN_DETECTOR_H_
