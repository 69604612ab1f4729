// What an exported model says about itself: spin_tf.json.
#ifndef SPIN_METADATA_H_
#define SPIN_METADATA_H_

#include <optional>
#include <string>
#include <vector>

#include "contract.h"

namespace spin {

// Of an image, in pixels.
struct Size {
  int height = 0;
  int width = 0;
};

struct Metadata {
  std::string json;
  std::string version;                  // of the spin_tf that wrote the file
  std::string charset;                  // all characters, UTF-8
  std::vector<std::string> characters;  // one by one
  // How pictures become images of a model: contract.h.
  int preprocessing = contract::kFirstPreprocessing;
  Size size;
  std::optional<Size> wide_size;  // of views that are wide
  // What the flatbuffer before the archive must be, where the file says it; 0 bytes where it does not.
  std::size_t checked_bytes = 0;
  unsigned long crc32 = 0;
};

// Throws ModelError with the message of read_metadata in spin_tf/contract/metadata.py.
Metadata read_metadata(const std::string& path);

// An input of a detector: its signature, height and width.
struct DetectorSize : Size {
  std::string key;
};

// The sizes that a detector's file names, by the names of their signatures. Throws ModelError with the message of
// read_detector_metadata in spin_tf/photo/litert_detector.py.
std::vector<DetectorSize> read_detector_sizes(const std::string& path);

}  // namespace spin

#endif  // SPIN_METADATA_H_
