// Loads a SavedModel with the loader that TensorFlow Serving is built on, runs its warm-up records and prints the words.
//
//   loader_check MODEL_VERSION_FOLDER
//
// For each record of assets.extra/tf_serving_warmup_requests one line for each image: batch size, word, confidence, and
// the reason where it could not be read, separated by tabs. The exit code is 0 when every record ran.

#include <cstdint>
#include <cstdio>
#include <iostream>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tensorflow/cc/saved_model/loader.h"
#include "tensorflow/core/framework/tensor.h"
#include "tensorflow/core/framework/tensor.pb.h"
#include "tensorflow/core/lib/io/record_reader.h"
#include "tensorflow/core/platform/env.h"
#include "tensorflow/core/public/session_options.h"

namespace {

constexpr char kWarmupFile[] = "/assets.extra/tf_serving_warmup_requests";

[[noreturn]] void Fail(const std::string& message) { throw std::runtime_error(message); }

void Check(const absl::Status& status, const std::string& what) {
  if (!status.ok()) Fail(what + ": " + status.ToString());
}

// The length-delimited fields of a protobuf message, in order; the messages of TensorFlow Serving that a record is made
// of are not in TensorFlow's wheel.
std::vector<std::pair<uint64_t, std::string_view>> Fields(std::string_view message) {
  size_t at = 0;
  auto number = [&]() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at >= message.size()) Fail("a number of a warm-up record is cut off");
      const uint8_t byte = static_cast<uint8_t>(message[at++]);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    Fail("a number of a warm-up record is too long");
  };
  std::vector<std::pair<uint64_t, std::string_view>> fields;
  while (at < message.size()) {
    const uint64_t tag = number();
    if ((tag & 7) != 2) Fail("a field of a warm-up record is no message or string");
    const uint64_t length = number();
    if (length > message.size() - at) Fail("a field of a warm-up record is cut off");
    fields.emplace_back(tag >> 3, message.substr(at, length));
    at += length;
  }
  return fields;
}

std::string_view Field(std::string_view message, uint64_t wanted) {
  for (const auto& [number, body] : Fields(message)) {
    if (number == wanted) return body;
  }
  Fail("a warm-up record lacks field " + std::to_string(wanted));
}

struct Request {
  std::string signature;
  std::map<std::string, tensorflow::Tensor> inputs;
};

// PredictionLog { PredictLog predict_log = 6 }, PredictLog { PredictRequest request = 1 },
// PredictRequest { ModelSpec model_spec = 1, map<string, TensorProto> inputs = 2 }, ModelSpec { signature_name = 3 }.
Request ParseRecord(std::string_view record) {
  Request request;
  const std::string_view body = Field(Field(record, 6), 1);
  request.signature = std::string(Field(Field(body, 1), 3));
  for (const auto& [number, entry] : Fields(body)) {
    if (number != 2) continue;
    tensorflow::TensorProto proto;
    if (!proto.ParseFromString(std::string(Field(entry, 2)))) Fail("a tensor of a warm-up record is broken");
    tensorflow::Tensor tensor;
    if (!tensor.FromProto(proto)) Fail("a tensor of a warm-up record has no such values");
    request.inputs.emplace(std::string(Field(entry, 1)), tensor);
  }
  return request;
}

void Run(const tensorflow::SavedModelBundle& bundle, const Request& request) {
  const auto signature = bundle.GetSignatures().find(request.signature);
  if (signature == bundle.GetSignatures().end()) Fail("there is no signature " + request.signature);
  std::vector<std::pair<std::string, tensorflow::Tensor>> feeds;
  for (const auto& [name, tensor] : request.inputs) {
    const auto input = signature->second.inputs().find(name);
    if (input == signature->second.inputs().end()) Fail("the signature has no input " + name);
    feeds.emplace_back(input->second.name(), tensor);
  }
  const std::vector<std::string> names = {"words", "confidence", "valid", "reason"};
  std::vector<std::string> fetches;
  for (const std::string& name : names) {
    const auto output = signature->second.outputs().find(name);
    if (output == signature->second.outputs().end()) Fail("the signature has no output " + name);
    fetches.push_back(output->second.name());
  }
  std::vector<tensorflow::Tensor> outputs;
  Check(bundle.GetSession()->Run(feeds, fetches, {}, &outputs), "a warm-up record fails");
  const auto words = outputs[0].vec<tensorflow::tstring>();
  const auto confidence = outputs[1].vec<float>();
  const auto valid = outputs[2].vec<bool>();
  const auto reason = outputs[3].vec<tensorflow::tstring>();
  for (int64_t i = 0; i < words.size(); ++i) {
    std::printf("%lld\t%s\t%.6f\t%s\n", static_cast<long long>(words.size()), words(i).c_str(), confidence(i),
                valid(i) ? "" : reason(i).c_str());
  }
}

int Main(const std::string& folder) {
  tensorflow::SavedModelBundle bundle;
  Check(tensorflow::LoadSavedModel(tensorflow::SessionOptions(), tensorflow::RunOptions(), folder,
                                   {"serve"}, &bundle),
        "the model cannot be loaded");
  std::unique_ptr<tensorflow::RandomAccessFile> file;
  Check(tensorflow::Env::Default()->NewRandomAccessFile(folder + kWarmupFile, &file), "there are no warm-up records");
  tensorflow::io::SequentialRecordReader reader(file.get());
  tensorflow::tstring record;
  int count = 0;
  for (;;) {
    const absl::Status status = reader.ReadRecord(&record);
    if (absl::IsOutOfRange(status)) break;
    Check(status, "the warm-up records cannot be read");
    Run(bundle, ParseRecord(std::string_view(record.data(), record.size())));
    ++count;
  }
  if (count == 0) Fail("there are no warm-up records");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: loader_check MODEL_VERSION_FOLDER\n";
    return 2;
  }
  try {
    return Main(argv[1]);
  } catch (const std::exception& error) {
    std::cerr << "error: " << error.what() << "\n";
    return 1;
  }
}
