// The lines of spin_read, as bin/recognize.py writes them.
#ifndef SPIN_OUTPUT_H_
#define SPIN_OUTPUT_H_

#include <string>

#include "spin/photo.h"
#include "spin/recognizer.h"

namespace spin {

// The output line of a word, without its line end.
std::string format_word(const std::string& path, const Word& word, bool jsonl);

// The output of a photograph, each line with its end; nothing as text for one without words.
std::string format_photo(const std::string& path, const Photo& photo, bool jsonl);

// A path in one piece: tabs, line ends and control characters escaped, backslashes doubled.
std::string show_path(const std::string& path);

// A path for stderr: bytes that are no UTF-8 as \udcXX.
std::string with_backslashes(const std::string& path);

// A message on one line: every run of white space is one space.
std::string one_line(const std::string& message);

// The shortest decimal number that reads back as this one, in Python's notation.
std::string format_number(double value);

}  // namespace spin

#endif  // SPIN_OUTPUT_H_
