// Photographs in, their words out: a detector that bin/convert_detector.py has written, and the Recognizer.
#ifndef SPIN_PHOTO_H_
#define SPIN_PHOTO_H_

#include <array>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "spin/recognizer.h"

namespace spin {

// A place where a detector sees a word: x and y of four corners, clockwise from the top left, in pixels of the upright
// picture with (0, 0) at the outer corner of the first one; and how sure the detector is of it, 0..1.
struct Place {
  std::array<double, 8> corners;
  double score;
};

// Finds words: LiteRTDetector of spin_tf in C++. Serves any number of threads, one after another.
class SPIN_EXPORT Detector {
 public:
  // path: a .tflite file written by bin/convert_detector.py. num_threads: that work on one picture. Throws ModelError.
  explicit Detector(const std::string& path, int num_threads = 1);
  ~Detector();
  Detector(Detector&&) noexcept;
  Detector& operator=(Detector&&) noexcept;

  // Finds the words of a JPEG or PNG file. Throws ImageError, or ModelError if the detector cannot be run.
  std::vector<Place> find(const void* data, std::size_t size) const;
  std::vector<Place> find(const std::string& bytes) const { return find(bytes.data(), bytes.size()); }

  // Finds the words of decoded pixels, as Recognizer::read_pixels takes them. Throws std::invalid_argument.
  std::vector<Place> find_pixels(const unsigned char* pixels, std::size_t height, std::size_t width, int channels,
                                 std::size_t row_stride = 0) const;

 private:
  friend struct Photographs;
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// A word of a photograph: its corners begin at the upper left of the word as it is read.
struct PhotoWord {
  Word word;
  Place place;
  int line = 0;  // from 0 in reading order
};

struct Photo {
  std::size_t height = 0;  // of the upright picture
  std::size_t width = 0;
  std::vector<PhotoWord> words;  // in reading order
};

// Finds and reads the words of a JPEG or PNG file; those that are read with less than min_confidence are left out.
// Throws ImageError or ModelError.
SPIN_EXPORT Photo read_photo(const Recognizer& recognizer, const Detector& detector, const std::string& bytes,
                             double min_confidence = 0.4);

}  // namespace spin

#endif  // SPIN_PHOTO_H_
