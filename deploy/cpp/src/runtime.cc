#include "runtime.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "litert_calls.h"
#include "spin/recognizer.h"

namespace spin {
namespace {

constexpr char kSignature[] = "serving_default";
// Ends the names of signatures that read wide images.
constexpr char kWide[] = "_wide";

}  // namespace

MappedFile::MappedFile(const std::string& path) {
  const int descriptor = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  struct stat status {};
  if (descriptor >= 0 && fstat(descriptor, &status) == 0 && status.st_size > 0) {
    size_ = static_cast<std::size_t>(status.st_size);
    data_ = mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, descriptor, 0);
  }
  const std::string reason = std::strerror(errno);
  if (descriptor >= 0) {
    close(descriptor);
  }
  if (!data_ || data_ == MAP_FAILED) {
    throw ModelError("the file cannot be mapped into memory: " + reason);
  }
}

MappedFile::~MappedFile() { munmap(data_, size_); }

LoadedModel::LoadedModel(const std::string& path, int num_threads)
    : file(path),
      // All signatures are prepared when a model is compiled; with a cache they share what XNNPACK packs of the weights.
      settings_("num_threads = " + std::to_string(num_threads) + "\nweight_cache_file_path = \":memory\"\n") {
  // Errors only: what a program writes to stderr is its own affair. Without the CPU named, it looks for others.
  LiteRtEnvOption settings[2] = {};
  settings[0].tag = kLiteRtEnvOptionTagMinLoggerSeverity;
  settings[0].value.type = kLiteRtAnyTypeInt;
  settings[0].value.int_value = kLiteRtLogSeverityError;
  settings[1].tag = kLiteRtEnvOptionTagAutoRegisterAccelerators;
  settings[1].value.type = kLiteRtAnyTypeInt;
  settings[1].value.int_value = kLiteRtHwAcceleratorCpu;
  LiteRtEnvironment new_environment = nullptr;
  check(LiteRtCreateEnvironment(2, settings, &new_environment), "no environment");
  environment.reset(new_environment);

  LiteRtModel new_model = nullptr;
  // Unlike the function that takes a path, this one looks whether the flatbuffer is whole, and the zip archive behind
  // it does not matter.
  check(LiteRtCreateModelFromBuffer(environment.get(), file.data(), file.size(), &new_model), "not a valid flatbuffer");
  model.reset(new_model);
  LiteRtOptions new_options = nullptr;
  check(LiteRtCreateOptions(&new_options), "no options");
  options.reset(new_options);
  check(LiteRtSetOptionsHardwareAccelerators(options.get(), kLiteRtHwAcceleratorCpu), "no CPU");
  LiteRtOpaqueOptions opaque = nullptr;
  check(LiteRtCreateOpaqueOptions("xnnpack", settings_.data(), [](void*) {}, &opaque), "no CPU options");
  const LiteRtStatus added = LiteRtAddOpaqueOptions(options.get(), opaque);
  if (added != kLiteRtStatusOk) {
    LiteRtDestroyOpaqueOptions(opaque);
  }
  check(added, "no CPU options");
}

// By its name: files may carry others beside it, in any order.
LiteRtSignature LoadedModel::find_signature(const std::string& key, std::size_t& index) const {
  std::size_t count = 0;
  check(LiteRtGetNumModelSignatures(model.get(), &count), "no signatures");
  for (index = 0; index < count; ++index) {
    LiteRtSignature candidate = nullptr;
    const char* found = nullptr;
    check(LiteRtGetModelSignature(model.get(), index, &candidate), "a damaged signature");
    check(LiteRtGetSignatureKey(candidate, &found), "a damaged signature");
    if (key == found) {
      return candidate;
    }
  }
  throw ModelError("no signature " + key);
}

// One thread an instance: several instances read faster than several threads in one.
Library::Library(const std::string& path, const Metadata& metadata) : LoadedModel(path, 1) {
  plain = find(kSignature, metadata.size);
  if (metadata.wide_size) {
    wide = find(kSignature + std::string(kWide), *metadata.wide_size);
  }
}

Signature Library::find(const std::string& key, const Size& size) const {
  Signature signature;
  LiteRtSignature found = find_signature(key, signature.index);
  std::size_t num_inputs = 0;
  check(LiteRtGetNumSignatureInputs(found, &num_inputs), "no inputs");
  check(LiteRtGetNumSignatureOutputs(found, &signature.num_outputs), "no outputs");
  bool found_image = false, found_probabilities = false, found_positions = false;
  for (std::size_t i = 0; i < num_inputs; ++i) {
    const char* name = nullptr;
    LiteRtTensor tensor = nullptr;
    check(LiteRtGetSignatureInputName(found, i, &name), "a damaged input");
    check(LiteRtGetSignatureInputTensorByIndex(found, i, &tensor), "a damaged input");
    if (num_inputs == 1 && std::strcmp(name, "image") == 0) {
      check(LiteRtGetRankedTensorType(tensor, &signature.image.type), "a damaged input");
      found_image = true;
    }
  }
  for (std::size_t i = 0; i < signature.num_outputs; ++i) {
    const char* name = nullptr;
    LiteRtTensor tensor = nullptr;
    check(LiteRtGetSignatureOutputName(found, i, &name), "a damaged output");
    check(LiteRtGetSignatureOutputTensorByIndex(found, i, &tensor), "a damaged output");
    const bool is_probabilities = std::strcmp(name, "probabilities") == 0;
    TensorPlace& place = is_probabilities ? signature.probabilities : signature.positions;
    if (is_probabilities || std::strcmp(name, "positions") == 0) {
      place.index = i;
      check(LiteRtGetRankedTensorType(tensor, &place.type), "a damaged output");
      (is_probabilities ? found_probabilities : found_positions) = true;
    }
  }
  if (!found_image || !found_probabilities || !found_positions) {
    throw ModelError("its signature " + key + " is not image -> probabilities, positions");
  }
  if (signature.image.type.element_type != kLiteRtElementTypeFloat32 ||
      shape(signature.image.type.layout) != std::vector<int>{1, size.height, size.width, 1}) {
    throw ModelError("the image of its signature " + key + " is " + shown(signature.image.type.layout) +
                     ", which spin_tf.json does not say");
  }
  return signature;
}

Runner::Runner(const Library& library, const Signature& signature, LiteRtCompiledModel compiled)
    : library_(library), signature_(signature), compiled_(compiled) {
  // The decoder's loop leaves the shapes of its results open in the file; the compiled model knows them.
  std::vector<LiteRtLayout> layouts(signature.num_outputs);
  check(LiteRtGetCompiledModelOutputTensorLayouts(compiled, signature.index, layouts.size(), layouts.data(),
                                                  /*update_allocation=*/true),
        "its outputs have no shapes");
  LiteRtTensorBufferRequirements requirements = nullptr;
  check(LiteRtGetCompiledModelInputBufferRequirements(compiled, signature.index, 0, &requirements), "no input");
  input_ = make_buffer(signature.image.type, requirements);
  for (std::size_t i = 0; i < layouts.size(); ++i) {
    check(LiteRtGetCompiledModelOutputBufferRequirements(compiled, signature.index, i, &requirements), "no output");
    LiteRtRankedTensorType type{};
    type.element_type = kLiteRtElementTypeFloat32;
    type.layout = layouts[i];
    outputs_.push_back(make_buffer(type, requirements));
  }
  const std::vector<int> probabilities = shape(layouts[signature.probabilities.index]);
  const std::vector<int> positions = shape(layouts[signature.positions.index]);
  if (probabilities.size() != 3 || probabilities[0] != 1 || probabilities[1] < 1 || probabilities[2] < 1 ||
      positions != std::vector<int>{1, probabilities[1]} ||
      signature.probabilities.type.element_type != kLiteRtElementTypeFloat32 ||
      signature.positions.type.element_type != kLiteRtElementTypeFloat32) {
    throw ModelError("its outputs are " + shown(layouts[signature.probabilities.index]) + " and " +
                     shown(layouts[signature.positions.index]));
  }
  steps_ = static_cast<std::size_t>(probabilities[1]);
  classes_ = static_cast<std::size_t>(probabilities[2]);
}

Prediction Runner::predict(const std::vector<float>& image) {
  with_values(input_.get(), kLiteRtTensorBufferLockModeWrite, image.size(),
              [&](float* values) { std::memcpy(values, image.data(), image.size() * sizeof(float)); });
  std::vector<LiteRtTensorBuffer> outputs;
  for (const OwnedBuffer& buffer : outputs_) {
    outputs.push_back(buffer.get());
  }
  LiteRtTensorBuffer input = input_.get();
  check(LiteRtRunCompiledModel(compiled_, signature_.index, 1, &input, outputs.size(), outputs.data()),
        "it cannot be run");
  Prediction prediction{steps_, classes_, {}, {}};
  read(signature_.probabilities, steps_ * classes_, prediction.probabilities);
  read(signature_.positions, steps_, prediction.positions);
  return prediction;
}

OwnedBuffer Runner::make_buffer(const LiteRtRankedTensorType& type, LiteRtTensorBufferRequirements requirements) {
  LiteRtTensorBuffer buffer = nullptr;
  check(LiteRtCreateManagedTensorBufferFromRequirements(library_.environment.get(), &type, requirements, &buffer),
        "no buffer");
  return OwnedBuffer(buffer);
}

void Runner::read(const TensorPlace& place, std::size_t count, std::vector<float>& target) {
  with_values(outputs_[place.index].get(), kLiteRtTensorBufferLockModeRead, count,
              [&](const float* values) { target.assign(values, values + count); });
}

Instance::Instance(const Library& library) : library_(library) {
  LiteRtCompiledModel compiled = nullptr;
  check(LiteRtCreateCompiledModel(library.environment.get(), library.model.get(), library.options.get(), &compiled),
        "it cannot be compiled");
  compiled_.reset(compiled);
  plain_.emplace(library, library.plain, compiled);
}

Prediction Instance::predict(const Input& input) {
  if (!input.wide) {
    return plain_->predict(input.values);
  }
  if (!wide_) {
    wide_.emplace(library_, *library_.wide, compiled_.get());
    if (wide_->classes() != classes()) {
      throw ModelError("wide images have " + std::to_string(wide_->classes()) + " classes, others " +
                       std::to_string(classes()));
    }
  }
  return wide_->predict(input.values);
}

}  // namespace spin
