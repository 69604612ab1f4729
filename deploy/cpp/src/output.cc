#include "output.h"

#include <cmath>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <optional>
#include <sstream>

#include "text.h"

namespace spin {
namespace {

using Json = nlohmann::ordered_json;

// Text as it stands between the quotes of JSON; nothing where it is no UTF-8.
std::optional<std::string> json_text(const std::string& text) {
  try {
    const std::string quoted = Json(text).dump();
    return quoted.substr(1, quoted.size() - 2);
  } catch (const Json::type_error&) {
    return std::nullopt;
  }
}

// Bytes of a name that are no UTF-8 become \udc80 to \udcff, as Python has them: such names can be opened by what was
// written.
std::string json_path(const std::string& path) {
  if (const auto text = json_text(path)) {
    return *text;
  }
  std::string result;
  for (std::size_t i = 0, size = 1; i < path.size(); i += size) {
    std::optional<std::string> character;
    for (size = 0; !character && size < 4;) {
      character = json_text(path.substr(i, ++size));
    }
    if (!character) {
      char code[8];
      std::snprintf(code, sizeof code, "\\udc%02x", static_cast<unsigned>(static_cast<unsigned char>(path[i])));
      character = code;
      size = 1;
    }
    result += *character;
  }
  return result;
}

// A line of JSON that begins with the path.
std::string json_line(const std::string& path, const Json& others) {
  return "{\"path\":\"" + json_path(path) + "\"," + others.dump().substr(1) + "\n";
}

double rounded(double value, double unit) { return std::nearbyint(value * unit) / unit; }

}  // namespace

std::string format_word(const std::string& path, const Word& word, bool jsonl) {
  if (!jsonl) {
    char confidence[32];
    std::snprintf(confidence, sizeof confidence, "%.4f", word.confidence);
    return escaped(path) + "\t" + escaped(word.text, false) + "\t" + confidence + "\n";
  }
  Json characters = Json::array();
  for (const Character& one : word.characters) {
    characters.push_back({{"character", one.character}, {"confidence", one.confidence}, {"x", one.x}});
  }
  // The last two keys tell of decoding under constraints, which this reader does not have.
  return json_line(path, {{"text", word.text},
                          {"confidence", word.confidence},
                          {"characters", characters},
                          {"turned", word.turned},
                          {"truncated", word.truncated},
                          {"alternatives", Json::array()},
                          {"reason", ""}});
}

std::string format_photo(const std::string& path, const Photo& photo, bool jsonl) {
  std::string lines;
  Json words = Json::array();
  int line = -1;
  for (const PhotoWord& word : photo.words) {
    lines += word.line == line ? " " : (lines.empty() ? "" : "\n") + escaped(path) + "\t";
    lines += escaped(word.word.text, false);
    line = word.line;
    Json polygon = Json::array();
    for (std::size_t k = 0; k < 8; k += 2) {
      polygon.push_back({rounded(word.place.corners[k], 100), rounded(word.place.corners[k + 1], 100)});
    }
    words.push_back({{"text", word.word.text},
                     {"confidence", rounded(word.word.confidence, 1e6)},
                     {"polygon", polygon},
                     {"line", word.line},
                     {"score", rounded(word.place.score, 1e4)}});
  }
  if (jsonl) {
    return json_line(path, {{"width", photo.width}, {"height", photo.height}, {"turned", 0}, {"words", words}});
  }
  return lines.empty() ? lines : lines + "\n";
}

std::string one_line(const std::string& message) {
  std::istringstream words(message);
  std::string result;
  for (std::string word; words >> word;) {
    result += (result.empty() ? "" : " ") + word;
  }
  return result;
}

}  // namespace spin
