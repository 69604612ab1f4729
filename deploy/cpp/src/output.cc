#include "output.h"

#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "files.h"

namespace spin {
namespace {

std::string json_string(const std::string& text) {
  std::string result = "\"";
  for (const char c : text) {
    switch (c) {
      case '"':
      case '\\':
        result += {'\\', c};
        break;
      case '\n':
        result += "\\n";
        break;
      case '\r':
        result += "\\r";
        break;
      case '\t':
        result += "\\t";
        break;
      case '\f':
        result += "\\f";
        break;
      case '\b':
        result += "\\b";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          char escaped[8];
          std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(c));
          result += escaped;
        } else {
          result += c;
        }
    }
  }
  return result + '"';
}

std::string json_line(const std::string& path, const Word& word) {
  std::string line = "{\"path\": " + json_string(path) + ", \"text\": " + json_string(word.text) +
                     ", \"confidence\": " + format_number(word.confidence) + ", \"characters\": [";
  for (std::size_t i = 0; i < word.characters.size(); ++i) {
    const Character& character = word.characters[i];
    line += (i ? ", " : "") + std::string("{\"character\": ") + json_string(character.character) +
            ", \"confidence\": " + format_number(character.confidence) + ", \"x\": " + format_number(character.x) + "}";
  }
  // The last two keys tell of decoding under constraints, which this reader does not have.
  return line + "], \"turned\": " + std::to_string(word.turned) +
         ", \"truncated\": " + (word.truncated ? "true" : "false") + ", \"alternatives\": [], \"reason\": \"\"}";
}

}  // namespace

std::string format_number(double value) {
  if (!std::isfinite(value)) {
    return std::isnan(value) ? "NaN" : value > 0 ? "Infinity" : "-Infinity";
  }
  char digits[64];
  const auto shortest = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::scientific);
  const std::string scientific(digits, shortest.ptr);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  if (exponent < -4 || exponent >= 16) {
    return scientific;
  }
  const auto fixed = std::to_chars(digits, digits + sizeof digits, value, std::chars_format::fixed);
  const std::string text(digits, fixed.ptr);
  return text.find('.') == std::string::npos ? text + ".0" : text;
}

std::string format_word(const std::string& path, const Word& word, bool jsonl) {
  if (jsonl) {
    return json_line(path, word);
  }
  char confidence[32];
  std::snprintf(confidence, sizeof confidence, "%.4f", word.confidence);
  return path + "\t" + word.text + "\t" + confidence;
}

std::string with_backslashes(const std::string& path) {
  std::string result;
  std::size_t at = 0;
  for (const char32_t code : with_escaped_bytes(path)) {
    if (code >= 0xDC80 && code <= 0xDCFF) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\u%04x", static_cast<unsigned>(code));
      result += escaped;
      ++at;
      continue;
    }
    const std::size_t size = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    result += path.substr(at, size);
    at += size;
  }
  return result;
}

std::string one_line(const std::string& message) {
  std::string result;
  for (const char c : message) {
    const bool space = c == ' ' || (c >= '\t' && c <= '\r');
    if (!space) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  return !result.empty() && result.back() == ' ' ? result.substr(0, result.size() - 1) : result;
}

}  // namespace spin
