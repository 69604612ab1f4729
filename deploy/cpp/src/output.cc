#include "output.h"

#include <algorithm>
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

std::string escaped_unit(unsigned value) {
  char text[16];
  std::snprintf(text, sizeof text, "\\u%04x", value);
  return text;
}

std::string ascii_only(const std::u32string& codes) {
  std::string result;
  for (const char32_t code : codes) {
    if (code < 0x80) {
      result += static_cast<char>(code);
    } else if (code < 0x10000) {
      result += escaped_unit(code);
    } else {
      result += escaped_unit(0xD800 + ((code - 0x10000) >> 10)) + escaped_unit(0xDC00 + ((code - 0x10000) & 0x3FF));
    }
  }
  return result;
}

std::string without_control(const std::string& text, bool double_backslashes) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are two bytes.
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool is_c1 = byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (byte == '\t' || byte == '\n' || byte == '\r') {
      result += {'\\', byte == '\t' ? 't' : byte == '\n' ? 'n' : 'r'};
    } else if (byte < 0x20 || byte == 0x7F || is_c1) {
      char escaped[8];
      std::snprintf(escaped, sizeof escaped, "\\x%02x", static_cast<unsigned>(is_c1 ? next : byte));
      result += escaped;
      i += is_c1;
    } else {
      result += byte == '\\' && double_backslashes ? "\\\\" : std::string(1, text[i]);
    }
  }
  return result;
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

std::string rounded(double value, double unit) { return format_number(std::nearbyint(value * unit) / unit); }

std::string json_photo(const std::string& path, const Photo& photo) {
  std::string line = "{\"path\": " + json_string(path) + ", \"width\": " + std::to_string(photo.width) +
                     ", \"height\": " + std::to_string(photo.height) + ", \"turned\": 0, \"words\": [";
  for (std::size_t i = 0; i < photo.words.size(); ++i) {
    const PhotoWord& word = photo.words[i];
    line += (i ? ", " : "") + std::string("{\"text\": ") + json_string(word.word.text) +
            ", \"confidence\": " + rounded(word.word.confidence, 1e6) + ", \"polygon\": [";
    for (std::size_t k = 0; k < 8; k += 2) {
      line += std::string(k ? ", [" : "[") + rounded(word.place.corners[k], 100) + ", " +
              rounded(word.place.corners[k + 1], 100) + "]";
    }
    line += "], \"line\": " + std::to_string(word.line) + ", \"score\": " + rounded(word.place.score, 1e4) + "}";
  }
  return line + "]}";
}

// JSON holds letters; names that are no text make all of the line escapes that every reader knows.
std::string for_all_readers(const std::string& line) {
  const std::u32string codes = with_escaped_bytes(line);
  const bool is_text = std::none_of(codes.begin(), codes.end(), [](char32_t c) { return c >= 0xDC80 && c <= 0xDCFF; });
  return is_text ? line : ascii_only(codes);
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
    return for_all_readers(json_line(path, word));
  }
  char confidence[32];
  std::snprintf(confidence, sizeof confidence, "%.4f", word.confidence);
  return show_path(path) + "\t" + without_control(word.text, false) + "\t" + confidence;
}

std::string format_photo(const std::string& path, const Photo& photo, bool jsonl) {
  if (jsonl) {
    return for_all_readers(json_photo(path, photo)) + "\n";
  }
  std::string lines;
  int line = -1;
  for (const PhotoWord& word : photo.words) {
    lines += word.line == line ? " " : (lines.empty() ? "" : "\n") + show_path(path) + "\t";
    lines += without_control(word.word.text, false);
    line = word.line;
  }
  return lines.empty() ? lines : lines + "\n";
}

std::string show_path(const std::string& path) { return without_control(path, true); }

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
