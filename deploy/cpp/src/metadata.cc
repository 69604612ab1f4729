#include "metadata.h"

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>
#include <system_error>
#include <utility>

#include "spin/recognizer.h"
#include "text.h"
#include "zip.h"

namespace spin {
namespace {

using Json = nlohmann::json;

constexpr const char* kFile = contract::kMetadataFile;
constexpr int kFormat = contract::kMetadataFormat;

[[noreturn]] void fail(const std::string& message) { throw ModelError(message); }

[[noreturn]] void damaged(const std::string& why, const std::string& path) {
  fail(std::string("The ") + kFile + " of the model is damaged: " + why + "; model=" + quoted(path));
}

std::string received(const std::string& path) { return " Received: model=" + quoted(path); }

// The table of a file, and its comment in the archive.
std::pair<Json, std::string> parse(const std::string& path, const std::string& consequence) {
  std::error_code unknown;
  const auto type = std::filesystem::status(path, unknown).type();
  if (type == std::filesystem::file_type::not_found) {
    fail("There is no such model." + received(path));
  }
  if (type == std::filesystem::file_type::directory) {
    fail("The C++ reader takes .tflite files; export the model with bin/export_tflite.py." + received(path));
  }
  std::optional<ZipMember> member;
  try {
    member = read_zip_member(path, kFile);
  } catch (const std::system_error& error) {
    fail("[Errno " + std::to_string(error.code().value()) + "] " + error.code().message() + ": " + quoted(path));
  }
  if (!member) {
    fail(std::string("The model carries no ") + kFile +
         " that can be read (no archive with it at the end), " + consequence + "." +
         received(path));
  }
  Json metadata = Json::parse(member->content, nullptr, /*allow_exceptions=*/false);
  if (metadata.is_discarded()) {
    fail(std::string("The ") + kFile + " of the model is no JSON." + received(path));
  }
  if (!metadata.is_object()) {
    fail(std::string("The ") + kFile + " of the model is no table of keys but " + metadata.dump() + "." +
         received(path));
  }
  return {std::move(metadata), std::move(member->comment)};
}

// Like Python's repr of what JSON can hold in this place.
std::string represented(const Json& metadata, const char* key) {
  const auto found = metadata.find(key);
  if (found == metadata.end() || found->is_null()) {
    return "None";
  }
  return found->is_string() ? quoted(found->get<std::string>()) : found->dump();
}

// At most a hundred characters of what a file says, as in Python.
std::string shortened(const std::string& text) {
  if (text.size() <= 100) {
    return text;
  }
  std::size_t end = 97;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) {
    --end;
  }
  return text.substr(0, end) + "...";
}

void check_format(const Json& metadata) {
  const auto format = metadata.find("format");
  if (format == metadata.end() || *format != kFormat) {
    fail("The model was written by another version of spin_tf (" +
         represented(metadata, "spin_tf_version") + "). Received: format=" + represented(metadata, "format") + ", expected " + std::to_string(kFormat));
  }
}

bool is_detector(const Json& metadata) {
  const auto kind = metadata.find("kind");
  return kind != metadata.end() && *kind == contract::kDetectorKind;
}

bool is_count(const Json& value, int limit) {
  return value.is_number_integer() && value.get<std::int64_t>() >= 1 && value.get<std::int64_t>() <= limit;
}

// Height and width, each from 1 to a limit.
std::optional<Size> to_size(const Json& size, int limit) {
  if (!size.is_array() || size.size() != 2 || !is_count(size[0], limit) || !is_count(size[1], limit)) {
    return std::nullopt;
  }
  return Size{size[0].get<int>(), size[1].get<int>()};
}

void check_keys(const Json& metadata) {
  std::string missing, names;
  for (const char* key : contract::kMetadataKeys) {
    if (!metadata.contains(key)) {
      missing += (missing.empty() ? "" : ", ") + std::string(key);
    }
  }
  if (!missing.empty()) {
    for (const auto& item : metadata.items()) {
      names += (names.empty() ? "" : ", ") + quoted(item.key());
    }
    fail(std::string("The ") + kFile + " of the model misses " + missing + ". Received: " + shortened("[" + names + "]"));
  }
}

// nlohmann::json only lets valid UTF-8 through.
std::vector<std::string> split_characters(const std::string& text) {
  std::vector<std::string> characters;
  for (const char c : text) {
    if ((static_cast<unsigned char>(c) & 0xC0) != 0x80) {
      characters.emplace_back();
    }
    characters.back() += c;
  }
  return characters;
}

void check_characters(const std::vector<std::string>& characters, const std::string& path) {
  if (characters.empty()) {
    damaged("A charset needs at least one character. Received: characters=''", path);
  }
  std::set<std::string> seen, repeated;
  for (const std::string& character : characters) {
    if (!seen.insert(character).second) {
      repeated.insert(character);
    }
  }
  if (!repeated.empty()) {
    damaged("A charset holds each character once. Received: repeated=" +
                quoted(std::accumulate(repeated.begin(), repeated.end(), std::string())),
            path);
  }
}

int read_preprocessing(const Json& metadata, const std::string& path) {
  const Json number = metadata.value("preprocessing", Json(contract::kFirstPreprocessing));
  if (!is_count(number, contract::kPreprocessing)) {
    fail("The model was written for preprocessing " + represented(metadata, "preprocessing") +
         "; this spin_tf knows 1 and 2: update spin_tf." + received(path));
  }
  return number.get<int>();
}

Size read_size(const Json& metadata, const char* key, const std::string& path) {
  const std::optional<Size> size = to_size(metadata.at(key), contract::kMaxSide);
  if (!size) {
    damaged(std::string(key) + " is height and width in pixels. Received: " + key + "=" + represented(metadata, key),
            path);
  }
  return *size;
}

// Files of earlier versions have none.
void read_checksum(const std::string& comment, const std::string& path, Metadata& metadata) {
  if (comment.empty()) {
    return;
  }
  const Json json = Json::parse(comment, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object() || !json.contains("bytes") || !json.contains("crc32") ||
      !json["bytes"].is_number_unsigned() || !json["crc32"].is_number_unsigned()) {
    fail("The checksum of the model is damaged." + received(path));
  }
  metadata.checked_bytes = json["bytes"].get<std::size_t>();
  metadata.crc32 = json["crc32"].get<unsigned long>();
}

}  // namespace

Metadata read_metadata(const std::string& path) {
  const auto [json, comment] = parse(path, "so its charset is unknown; export it with bin/export_tflite.py");
  Metadata metadata;
  try {
    check_format(json);
    if (is_detector(json)) {
      fail("The file finds words in photographs and reads none: it is a detector for --detector, no model." +
           received(path));
    }
    metadata.preprocessing = read_preprocessing(json, path);
    check_keys(json);
    metadata.json = json.dump();
    metadata.version = json.value("spin_tf_version", "");
    metadata.charset = json.at("charset").at("characters").get<std::string>();
    metadata.characters = split_characters(metadata.charset);
    check_characters(metadata.characters, path);
    if (!is_count(json.at("max_length"), contract::kMaxLength)) {
      damaged("max_length is a number of characters. Received: max_length=" + represented(json, "max_length"), path);
    }
    metadata.size = read_size(json, "image_size", path);
    if (!json.value("wide_image_size", Json()).is_null()) {
      const Size wide = read_size(json, "wide_image_size", path);
      if (metadata.preprocessing >= 2) {
        metadata.wide_size = wide;
      }
    }
    read_checksum(comment, path, metadata);
  } catch (const Json::exception& error) {
    damaged(error.what(), path);
  }
  return metadata;
}

std::vector<DetectorSize> read_detector_sizes(const std::string& path) {
  const Json json = parse(path, "so it is no detector of spin_tf; bin/convert_detector.py writes them").first;
  check_format(json);
  if (!is_detector(json)) {
    fail("The file reads words and finds none: it is a model, no detector. Received: detector=" + quoted(path));
  }
  const Json sizes = json.value("sizes", Json());
  std::vector<DetectorSize> result;
  if (sizes.is_object()) {
    for (const auto& [key, size] : sizes.items()) {
      const std::optional<Size> known = to_size(size, contract::kMaxDetectorSide);
      if (!known) {
        result.clear();
        break;
      }
      result.push_back({*known, key});
    }
  }
  if (result.empty()) {
    fail(std::string("The ") + kFile + " of the detector names no sizes, signatures with height and width. Received: sizes=" +
         shortened(sizes.dump()) + ", detector=" + quoted(path));
  }
  return result;
}

}  // namespace spin
