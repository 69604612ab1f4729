// Text of strangers in lines for people: names, and what files say.
#ifndef SPIN_TEXT_H_
#define SPIN_TEXT_H_

#include <cstdio>
#include <string>

namespace spin {

// Control characters as \t, \n, \r or \x1b, and backslashes doubled, so that whoever reads them can tell them from these;
// of `bytes`, all outside of ASCII too.
inline std::string escaped(const std::string& text, bool double_backslashes = true, bool bytes = false) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    auto byte = static_cast<unsigned char>(text[i]);
    // U+0080 to U+009F are two bytes.
    const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
    const bool is_c1 = !bytes && byte == 0xC2 && next >= 0x80 && next < 0xA0;
    if (byte == '\t' || byte == '\n' || byte == '\r') {
      result += {'\\', byte == '\t' ? 't' : byte == '\n' ? 'n' : 'r'};
    } else if (byte < 0x20 || byte == 0x7F || is_c1 || (bytes && byte > 0x7F)) {
      char code[8];
      std::snprintf(code, sizeof code, "\\x%02x", static_cast<unsigned>(is_c1 ? next : byte));
      result += code;
      i += is_c1;
    } else {
      result += byte == '\\' && double_backslashes ? "\\\\" : std::string(1, text[i]);
    }
  }
  return result;
}

inline std::string quoted(const std::string& text) { return "'" + escaped(text) + "'"; }

}  // namespace spin

#endif  // SPIN_TEXT_H_
