// The lines of spin_read: those of bin/recognize.py, as text or as JSON of the same values.
#ifndef SPIN_OUTPUT_H_
#define SPIN_OUTPUT_H_

#include <string>

#include "spin/photo.h"
#include "spin/recognizer.h"

namespace spin {

// The output line of a word, with its end.
std::string format_word(const std::string& path, const Word& word, bool jsonl);

// The output of a photograph, each line with its end; nothing as text for one without words.
std::string format_photo(const std::string& path, const Photo& photo, bool jsonl);

// A message on one line: every run of white space is one space.
std::string one_line(const std::string& message);

}  // namespace spin

#endif  // SPIN_OUTPUT_H_
