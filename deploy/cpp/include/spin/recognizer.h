// Word images in, words out: the Recognizer of spin_tf in C++.
#ifndef SPIN_RECOGNIZER_H_
#define SPIN_RECOGNIZER_H_

#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#if defined(__GNUC__)
#define SPIN_EXPORT __attribute__((visibility("default")))
#else
#define SPIN_EXPORT
#endif

namespace spin {

// One character of a word: its probability and the centre of attention, 0 (left edge) to 1 across the crop. Where the
// word was read from the turned crop, x runs across that.
struct Character {
  std::string character;  // UTF-8
  double confidence;
  double x;
};

// A word that was read.
struct Word {
  std::string text;  // UTF-8; empty where the model sees no word
  // 0..1, the product of the probabilities of all characters and of the end after them.
  double confidence = 0;
  std::vector<Character> characters;
  // Degrees counter-clockwise by which the crop was turned for this reading: 0, 90, -90 or 180.
  int turned = 0;
  // Whether the word did not end within the model's longest, so that more may follow.
  bool truncated = false;
};

// An image that cannot be read. what() is the line that the Python Recognizer gives for the same fault.
class SPIN_EXPORT ImageError : public std::runtime_error {
 public:
  enum class Reason { kEmptyFile, kFileTooLarge, kNotAnImage, kTooManyPixels, kBrokenImage, kAmbiguousValues };

  ImageError(const std::string& message, Reason reason) : std::runtime_error(message), reason_(reason) {}
  Reason reason() const { return reason_; }

 private:
  Reason reason_;
};

// A model that cannot be loaded or run: no such file, no model of spin_tf, a damaged one.
class SPIN_EXPORT ModelError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// How crops are read beside as they are. Of several readings the surest counts, of equally sure ones the first.
enum class Turn {
  kNone,  // not at all
  kTall,  // turned by a quarter either way, where they are at least 1.5 times as high as wide
  kAuto,  // as kTall, and upside down, each crop
};

struct Options {
  Turn turn = Turn::kTall;
  // False is another way to say kNone.
  bool turn_tall = true;
  // Instances of the model, one for each thread that reads at the same time; whoever finds all of them busy waits.
  // 0 is as many as there are such threads.
  int max_instances = 0;
};

// Reads word images: crops that hold one word each. One Recognizer serves any number of threads at once: the weights
// are mapped into memory once, and every thread that reads takes an instance of the model out of a pool.
class SPIN_EXPORT Recognizer {
 public:
  // path: a .tflite file written by bin/export_tflite.py. Charset and image size come from inside the file. Throws
  // ModelError.
  explicit Recognizer(const std::string& path, const Options& options = {});
  ~Recognizer();
  Recognizer(Recognizer&&) noexcept;
  Recognizer& operator=(Recognizer&&) noexcept;

  // Reads the bytes of a JPEG or PNG file. Throws ImageError, or ModelError if the model cannot be run.
  Word read(const void* data, std::size_t size) const;
  Word read(const std::string& bytes) const { return read(bytes.data(), bytes.size()); }

  // Reads decoded pixels: rows from the top, `channels` 1 (grey) or 3 (red, green, blue), `row_stride` bytes from one
  // row to the next (0: the rows follow each other). Throws std::invalid_argument for another shape.
  Word read_pixels(const unsigned char* pixels, std::size_t height, std::size_t width, int channels,
                   std::size_t row_stride = 0) const;

  // The characters that the model can read, UTF-8, in the order of its classes; the version of spin_tf that wrote the
  // file; the whole spin_tf.json of the file.
  const std::string& charset() const;
  const std::string& version() const;
  const std::string& metadata_json() const;
  int image_height() const;
  int image_width() const;
  // The size of views that are more than five times as wide as high; 0 where the model has one size.
  int wide_image_height() const;
  int wide_image_width() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace spin

#endif  // SPIN_RECOGNIZER_H_
