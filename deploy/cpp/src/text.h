// Text as Python writes it: error lines and output of both programs are compared.
#ifndef SPIN_TEXT_H_
#define SPIN_TEXT_H_

#include <string>

namespace spin {

// In quotes, as repr() writes a str, or (`bytes`) a bytes object without its b: control characters escaped, and of a
// bytes object everything outside ASCII too.
inline std::string quoted(const std::string& text, bool bytes = false) {
  const char* digits = "0123456789abcdef";
  const bool single = text.find('\'') != std::string::npos && text.find('"') == std::string::npos;
  const char quote = single ? '"' : '\'';
  std::string result(1, quote);
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == quote || c == '\\') {
      result += {'\\', c};
    } else if (c == '\t' || c == '\n' || c == '\r') {
      result += {'\\', c == '\t' ? 't' : c == '\n' ? 'n' : 'r'};
    } else if (byte < 0x20 || byte == 0x7F || (bytes && byte > 0x7F)) {
      result += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
    } else {
      result += c;
    }
  }
  return result + quote;
}

}  // namespace spin

#endif  // SPIN_TEXT_H_
