#include "model.h"

#include <zlib.h>

#include <algorithm>
#include <fstream>
#include <limits>

#include "contract.h"
#include "spin/recognizer.h"
#include "text.h"

namespace spin {
namespace {

constexpr std::size_t kNumSpecialTokens = contract::kFirstCharacterId;

// LiteRT crashes on some files that are damaged.
void check_whole(const std::string& path, const Metadata& metadata) {
  if (metadata.checked_bytes == 0) {
    return;
  }
  std::ifstream file(path, std::ios::binary);
  std::vector<char> chunk(1 << 20);
  unsigned long found = crc32(0, nullptr, 0);
  std::size_t left = metadata.checked_bytes;
  while (left > 0 && file.read(chunk.data(), static_cast<std::streamsize>(std::min(left, chunk.size()))).gcount() > 0) {
    found = crc32(found, reinterpret_cast<const Bytef*>(chunk.data()), static_cast<uInt>(file.gcount()));
    left -= static_cast<std::size_t>(file.gcount());
  }
  if (left > 0 || found != metadata.crc32) {
    throw ModelError("The model is damaged: its first " + std::to_string(metadata.checked_bytes) +
                     " bytes are not those that were written; copy or export it anew. Received: model=" + quoted(path));
  }
}

}  // namespace

// An instance out of the pool for as long as one thread reads; made when none is idle.
class Model::Lease {
 public:
  explicit Lease(Model& model) : model_(model) {
    std::unique_lock<std::mutex> lock(model.mutex_);
    model.freed_.wait(lock, [&] { return !model.idle_.empty() || model.num_instances_ < model.max_instances_; });
    if (!model.idle_.empty()) {
      instance_ = std::move(model.idle_.back());
      model.idle_.pop_back();
      return;
    }
    // So that giving it back cannot fail.
    model.idle_.reserve(model.num_instances_ + 1);
    ++model.num_instances_;
    lock.unlock();
    try {
      instance_ = std::make_unique<Instance>(*model.library_);
    } catch (...) {
      lock.lock();
      --model.num_instances_;
      model.freed_.notify_one();
      throw;
    }
  }
  ~Lease() {
    const std::lock_guard<std::mutex> lock(model_.mutex_);
    model_.idle_.push_back(std::move(instance_));
    model_.freed_.notify_one();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

  Instance* operator->() { return instance_.get(); }

 private:
  Model& model_;
  std::unique_ptr<Instance> instance_;
};

Model::Model(const std::string& path, const Metadata& metadata, int max_instances)
    : path_(path),
      max_instances_(max_instances > 0 ? static_cast<std::size_t>(max_instances)
                                       : std::numeric_limits<std::size_t>::max()) {
  check_whole(path, metadata);
  std::size_t classes = 0;
  try {
    library_ = std::make_unique<Library>(path, metadata);
    // The first instance is made at once: a model that cannot run is told from one that can before anything is read.
    classes = Lease(*this)->classes();
  } catch (const ModelError& error) {
    throw ModelError(std::string("LiteRT cannot load the model: ") + error.what() + ". Received: model=" + quoted(path));
  }
  if (classes != metadata.characters.size() + kNumSpecialTokens) {
    throw ModelError("The model has " + std::to_string(classes - std::min(classes, kNumSpecialTokens)) +
                     " characters but its charset holds " + std::to_string(metadata.characters.size()) +
                     ". Received: model=" + quoted(path));
  }
}

Model::~Model() = default;

std::vector<Prediction> Model::predict(const std::vector<Input>& inputs) {
  std::vector<Prediction> predictions;
  try {
    Lease instance(*this);
    for (const Input& input : inputs) {
      predictions.push_back(instance->predict(input));
    }
  } catch (const ModelError& error) {
    throw ModelError(std::string("LiteRT cannot run the model: ") + error.what() + ". Received: model=" + quoted(path_));
  }
  return predictions;
}

}  // namespace spin
