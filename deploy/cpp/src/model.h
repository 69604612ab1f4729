// An exported model, and the instances of it that run at the same time.
#ifndef SPIN_MODEL_H_
#define SPIN_MODEL_H_

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "metadata.h"
#include "runtime.h"

namespace spin {

// A model for many threads: the flatbuffer once, and a pool of instances.
class Model {
 public:
  // Throws ModelError.
  Model(const std::string& path, const Metadata& metadata, int max_instances);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // Reads images one after another on one instance of the model. Throws ModelError.
  std::vector<Prediction> predict(const std::vector<Input>& inputs);

 private:
  class Lease;

  const std::string path_;
  std::unique_ptr<Library> library_;
  const std::size_t max_instances_;
  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Instance>> idle_;
  std::size_t num_instances_ = 0;
};

}  // namespace spin

#endif  // SPIN_MODEL_H_
