#include "spin/recognizer.h"

#include "greedy.h"
#include "image.h"
#include "metadata.h"
#include "model.h"
#include "preprocessing.h"

namespace spin {
namespace {

// From this height by width on, a crop may hold a word that runs up or down: spin_tf/reading/turning.py.
constexpr double kTall = 1.5;

}  // namespace

class Recognizer::Implementation {
 public:
  Implementation(const std::string& path, const Options& options)
      : metadata(read_metadata(path)), model(path, metadata, options.max_instances), turn_tall(options.turn_tall) {}

  Word read(const View& view) {
    std::vector<int> turns = {0};
    if (turn_tall && static_cast<double>(view.height) >= kTall * static_cast<double>(view.width)) {
      turns = {0, 90, -90};
    }
    const auto height = static_cast<std::size_t>(metadata.height), width = static_cast<std::size_t>(metadata.width);
    std::vector<std::vector<float>> images;
    for (const int degrees : turns) {
      preprocess(spin::turned(view, degrees), height, width, images.emplace_back(height * width).data());
    }
    const std::vector<Prediction> predictions = model.predict(images);
    // The crop as it is, or a reading of the turned one that is surer; one letter alone does not run anywhere.
    Word surest = decode(metadata.characters, predictions[0], 0);
    for (std::size_t i = 1; i < turns.size(); ++i) {
      Word word = decode(metadata.characters, predictions[i], turns[i]);
      if (word.characters.size() > 1 && word.confidence > surest.confidence) {
        surest = std::move(word);
      }
    }
    return surest;
  }

  const Metadata metadata;
  Model model;
  const bool turn_tall;
};

Recognizer::Recognizer(const std::string& path, const Options& options)
    : implementation_(std::make_unique<Implementation>(path, options)) {}
Recognizer::~Recognizer() = default;
Recognizer::Recognizer(Recognizer&&) noexcept = default;
Recognizer& Recognizer::operator=(Recognizer&&) noexcept = default;

Word Recognizer::read(const void* data, std::size_t size) const {
  const Image image = decode_image(static_cast<const std::uint8_t*>(data), size);
  return implementation_->read(upright(image));
}

Word Recognizer::read_pixels(const unsigned char* pixels, std::size_t height, std::size_t width, int channels,
                             std::size_t row_stride) const {
  return implementation_->read(checked_view(pixels, height, width, channels, row_stride));
}

const std::string& Recognizer::charset() const { return implementation_->metadata.charset; }
const std::string& Recognizer::version() const { return implementation_->metadata.version; }
const std::string& Recognizer::metadata_json() const { return implementation_->metadata.json; }
int Recognizer::image_height() const { return implementation_->metadata.height; }
int Recognizer::image_width() const { return implementation_->metadata.width; }

}  // namespace spin
