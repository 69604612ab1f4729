// One model on LiteRT: what all instances of it share, and one instance.
#ifndef SPIN_RUNTIME_H_
#define SPIN_RUNTIME_H_

#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <vector>

#include "litert.h"
#include "metadata.h"
#include "preprocessing.h"

namespace spin {

// What a model gives for one image: probabilities (steps, classes) and positions (steps).
struct Prediction {
  std::size_t steps = 0;
  std::size_t classes = 0;
  std::vector<float> probabilities;
  std::vector<float> positions;
};

template <auto Destroy>
struct Destroyer {
  template <typename T>
  void operator()(T* handle) const {
    Destroy(handle);
  }
};
template <typename Handle, auto Destroy>
using Owned = std::unique_ptr<std::remove_pointer_t<Handle>, Destroyer<Destroy>>;
using OwnedEnvironment = Owned<LiteRtEnvironment, LiteRtDestroyEnvironment>;
using OwnedModel = Owned<LiteRtModel, LiteRtDestroyModel>;
using OwnedOptions = Owned<LiteRtOptions, LiteRtDestroyOptions>;
using OwnedCompiled = Owned<LiteRtCompiledModel, LiteRtDestroyCompiledModel>;
using OwnedBuffer = Owned<LiteRtTensorBuffer, LiteRtDestroyTensorBuffer>;

// A tensor of the signature: where it is and how large.
struct TensorPlace {
  std::size_t index = 0;
  LiteRtRankedTensorType type{};
};

// A file mapped into memory: read where it is looked at, and shared by all who map it.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const void* data() const { return data_; }
  std::size_t size() const { return size_; }

 private:
  void* data_ = nullptr;
  std::size_t size_ = 0;
};

// The flatbuffer, mapped into memory once, and how it is to run.
struct LoadedModel {
  const MappedFile file;
  OwnedEnvironment environment;
  OwnedModel model;
  OwnedOptions options;

  // Throws ModelError, without the name of the model.
  LoadedModel(const std::string& path, int num_threads);

  // The signature of this name, and where it is. Throws ModelError.
  LiteRtSignature find_signature(const std::string& key, std::size_t& index) const;

 private:
  // LiteRT reads it whenever a model is compiled.
  std::string settings_;
};

// A signature that reads images of one size.
struct Signature {
  std::size_t index = 0;
  TensorPlace image, probabilities, positions;
  std::size_t num_outputs = 0;
};

// A model of words, and its signatures.
struct Library : LoadedModel {
  Signature plain;
  std::optional<Signature> wide;

  // Throws ModelError, without the name of the model.
  Library(const std::string& path, const Metadata& metadata);

 private:
  Signature find(const std::string& key, const Size& size) const;
};

// A signature of a compiled model with its buffers.
class Runner {
 public:
  Runner(const Library& library, const Signature& signature, LiteRtCompiledModel compiled);

  std::size_t classes() const { return classes_; }
  Prediction predict(const std::vector<float>& image);

 private:
  OwnedBuffer make_buffer(const LiteRtRankedTensorType& type, LiteRtTensorBufferRequirements requirements);
  void read(const TensorPlace& place, std::size_t count, std::vector<float>& target);

  const Library& library_;
  const Signature& signature_;
  const LiteRtCompiledModel compiled_;
  OwnedBuffer input_;
  std::vector<OwnedBuffer> outputs_;
  std::size_t steps_ = 0;
  std::size_t classes_ = 0;
};

// One compiled model: serves one thread at a time. Throws ModelError, without the name of the model.
class Instance {
 public:
  explicit Instance(const Library& library);

  std::size_t classes() const { return plain_->classes(); }
  Prediction predict(const Input& input);

 private:
  const Library& library_;
  OwnedCompiled compiled_;
  std::optional<Runner> plain_;
  // Made when it is needed first: who reads no wide images does not pay for it.
  std::optional<Runner> wide_;
};

}  // namespace spin

#endif  // SPIN_RUNTIME_H_
