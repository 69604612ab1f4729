#include "spin/recognizer.h"

#include "contract.h"
#include "greedy.h"
#include "image.h"
#include "metadata.h"
#include "model.h"
#include "preprocessing.h"

namespace spin {
namespace {

using namespace contract;

// By how many degrees a crop is turned for its readings.
std::vector<int> turns_of(const View& view, Turn turn) {
  const bool is_tall = turn != Turn::kNone && kTall[1] * view.height >= kTall[0] * view.width;
  std::vector<int> turns;
  for (const int degrees : kTurns) {
    if (degrees == 0 || (degrees == 180 ? turn == Turn::kAuto : is_tall)) {
      turns.push_back(degrees);
    }
  }
  return turns;
}

}  // namespace

class Recognizer::Implementation {
 public:
  Implementation(const std::string& path, const Options& options)
      : metadata(read_metadata(path)),
        model(path, metadata, options.max_instances),
        turn(options.turn_tall ? options.turn : Turn::kNone) {}

  Word read(const View& whole) {
    const View view = cut(whole, metadata);
    const std::vector<int> turns = turns_of(view, turn);
    std::vector<Input> inputs;
    for (const int degrees : turns) {
      inputs.push_back(prepare(spin::turned(view, degrees), metadata));
    }
    const std::vector<Prediction> predictions = model.predict(inputs);
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
  const Turn turn;
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
int Recognizer::image_height() const { return implementation_->metadata.size.height; }
int Recognizer::image_width() const { return implementation_->metadata.size.width; }
int Recognizer::wide_image_height() const { return implementation_->metadata.wide_size.value_or(Size{}).height; }
int Recognizer::wide_image_width() const { return implementation_->metadata.wide_size.value_or(Size{}).width; }

}  // namespace spin
