#include "detector.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "letterbox.h"
#include "litert_calls.h"
#include "text.h"
#include "text_map.h"

namespace spin {
namespace {

// Words that are lower in the picture cannot be read.
constexpr double kLowest = 3;

}  // namespace

Detector::Implementation::Implementation(const std::string& path, int num_threads) : path_(path) {
  const std::vector<DetectorSize> sizes = read_detector_sizes(path);
  try {
    model_.emplace(path, num_threads);
    for (const DetectorSize& size : sizes) {
      inputs_.push_back(find_input(size));
    }
    LiteRtCompiledModel compiled = nullptr;
    check(LiteRtCreateCompiledModel(model_->environment.get(), model_->model.get(), model_->options.get(), &compiled),
          "it cannot be compiled");
    compiled_.reset(compiled);
  } catch (const ModelError& error) {
    throw ModelError(std::string("LiteRT cannot load the detector: ") + error.what() +
                     ". Received: detector=" + quoted(path));
  }
}

Detector::Implementation::Input Detector::Implementation::find_input(const DetectorSize& size) const {
  Input input;
  input.size = size;
  LiteRtSignature signature = model_->find_signature(size.key, input.signature);
  LiteRtTensor tensor = nullptr;
  const char *image = nullptr, *probabilities = nullptr;
  std::size_t num_inputs = 0, num_outputs = 0;
  check(LiteRtGetNumSignatureInputs(signature, &num_inputs), "no inputs");
  check(LiteRtGetNumSignatureOutputs(signature, &num_outputs), "no outputs");
  if (num_inputs == 1 && num_outputs == 1) {
    check(LiteRtGetSignatureInputName(signature, 0, &image), "a damaged input");
    check(LiteRtGetSignatureInputTensorByIndex(signature, 0, &tensor), "a damaged input");
    check(LiteRtGetRankedTensorType(tensor, &input.image), "a damaged input");
    check(LiteRtGetSignatureOutputName(signature, 0, &probabilities), "a damaged output");
    check(LiteRtGetSignatureOutputTensorByIndex(signature, 0, &tensor), "a damaged output");
    check(LiteRtGetRankedTensorType(tensor, &input.probabilities), "a damaged output");
  }
  if (!image || std::strcmp(image, "image") != 0 || std::strcmp(probabilities, "probabilities") != 0 ||
      input.image.element_type != kLiteRtElementTypeFloat32 ||
      input.probabilities.element_type != kLiteRtElementTypeFloat32 ||
      shape(input.image.layout) != std::vector<int>{1, size.height, size.width, 3} ||
      shape(input.probabilities.layout) != std::vector<int>{1, size.height, size.width}) {
    throw ModelError("its signature " + size.key + " is " + shown(input.image.layout) + " -> " +
                     shown(input.probabilities.layout) + ", which spin_tf.json does not say");
  }
  return input;
}

// The input in which the picture is largest, and of equal ones the smallest.
Detector::Implementation::Target Detector::Implementation::target_of(const View& view) const {
  const auto height = static_cast<double>(view.height), width = static_cast<double>(view.width);
  const Input* best = nullptr;
  double scale = 0;
  for (const Input& input : inputs_) {
    const double merit = std::min(input.size.height / height, input.size.width / width);
    if (!best || merit > scale ||
        (merit == scale && input.size.height * input.size.width < best->size.height * best->size.width)) {
      best = &input;
      scale = merit;
    }
  }
  const auto sized = [&](double length) {
    return std::max<std::size_t>(static_cast<std::size_t>(std::floor(length * scale + 0.5)), 1);
  };
  return {best, sized(height), sized(width)};
}

std::vector<float> Detector::Implementation::run(const Input& input, const std::vector<float>& image) {
  const auto make = [&](const LiteRtRankedTensorType& type, LiteRtTensorBufferRequirements requirements) {
    LiteRtTensorBuffer buffer = nullptr;
    check(LiteRtCreateManagedTensorBufferFromRequirements(model_->environment.get(), &type, requirements, &buffer),
          "no buffer");
    return OwnedBuffer(buffer);
  };
  LiteRtTensorBufferRequirements requirements = nullptr;
  check(LiteRtGetCompiledModelInputBufferRequirements(compiled_.get(), input.signature, 0, &requirements), "no input");
  const OwnedBuffer given = make(input.image, requirements);
  check(LiteRtGetCompiledModelOutputBufferRequirements(compiled_.get(), input.signature, 0, &requirements), "no output");
  const OwnedBuffer answered = make(input.probabilities, requirements);
  with_values(given.get(), kLiteRtTensorBufferLockModeWrite, image.size(),
              [&](float* values) { std::memcpy(values, image.data(), image.size() * sizeof(float)); });
  LiteRtTensorBuffer inputs[] = {given.get()}, outputs[] = {answered.get()};
  check(LiteRtRunCompiledModel(compiled_.get(), input.signature, 1, inputs, 1, outputs), "it cannot be run");
  std::vector<float> map;
  with_values(outputs[0], kLiteRtTensorBufferLockModeRead, image.size() / 3,
              [&](const float* values) { map.assign(values, values + image.size() / 3); });
  return map;
}

std::vector<Place> Detector::Implementation::find(const View& view) {
  const Target target = target_of(view);
  const auto height = static_cast<std::size_t>(target.input->size.height);
  const auto width = static_cast<std::size_t>(target.input->size.width);
  std::vector<float> map;
  try {
    const std::vector<float> image = letterbox(view, target.rows, target.columns, height, width);
    const std::lock_guard<std::mutex> lock(mutex_);
    map = run(*target.input, image);
  } catch (const ModelError& error) {
    throw ModelError(std::string("LiteRT cannot run the detector: ") + error.what() +
                     ". Received: detector=" + quoted(path_));
  }
  const double limits[] = {static_cast<double>(view.width), static_cast<double>(view.height)};
  const double scales[] = {limits[0] / static_cast<double>(target.columns), limits[1] / static_cast<double>(target.rows)};
  std::vector<Place> places;
  for (Place& place : find_quadrilaterals(map.data(), target.rows, target.columns, width)) {
    for (std::size_t i = 0; i < 8; ++i) {
      place.corners[i] = std::min(std::max(place.corners[i] * scales[i % 2], 0.0), limits[i % 2]);
    }
    const auto& c = place.corners;
    if (std::min(std::hypot(c[2] - c[0], c[3] - c[1]), std::hypot(c[6] - c[0], c[7] - c[1])) > kLowest) {
      places.push_back(place);
    }
  }
  return places;
}

Detector::Detector(const std::string& path, int num_threads)
    : implementation_(std::make_unique<Implementation>(path, std::max(num_threads, 1))) {}
Detector::~Detector() = default;
Detector::Detector(Detector&&) noexcept = default;
Detector& Detector::operator=(Detector&&) noexcept = default;

std::vector<Place> Detector::find(const void* data, std::size_t size) const {
  const Image image = decode_image(static_cast<const std::uint8_t*>(data), size);
  return implementation_->find(upright(image));
}

std::vector<Place> Detector::find_pixels(const unsigned char* pixels, std::size_t height, std::size_t width,
                                         int channels, std::size_t row_stride) const {
  return implementation_->find(checked_view(pixels, height, width, channels, row_stride));
}

}  // namespace spin
