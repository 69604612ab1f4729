#include "arguments.h"

#include <algorithm>
#include <cctype>
#include <optional>

namespace spin {

const char kUsage[] =
    R"(Reads word images: one line an image, in the order given; the images of a folder come sorted by name.

spin_read [--model=PATH] [--format=text|jsonl] [--turn=tall|none|auto] [--threads=N] FILE_OR_FOLDER...
spin_read --detector=FILE [...] FILE_OR_FOLDER...

Text lines are path<TAB>word<TAB>confidence. Files that cannot be read go to stderr with the reason, the others are
answered, and the exit code is 1.

  --detector: a .tflite file written by bin/convert_detector.py: the images are photographs, whose words are found and
    read in order. Text lines are path<TAB>words, one a line of words; jsonl is one line a photograph, its words with
    text, confidence, polygon, line and score, as bin/read_photo.py writes them
  --model: a .tflite file written by bin/export_tflite.py; default: the bundled model
  --format: <text|jsonl>: jsonl adds every character with confidence and place
    (default: 'text')
  --turn: <tall|none|auto>: tall reads crops at least 1.5 times as high as wide turned by a quarter too, auto all crops
    upside down as well; the surest reading counts
    (default: 'tall')
  --[no]turn_tall: false is another way to say --turn=none
  --threads: images read at the same time; 0 is one for each core this process may use
    (default: '0')
)";

namespace {

struct Flag {
  std::string name;
  std::optional<std::string> value;
};

bool parse_bool(const Flag& flag) {
  std::string lower = flag.value.value_or("true");
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "true" || lower == "t" || lower == "1") {
    return true;
  }
  if (lower == "false" || lower == "f" || lower == "0") {
    return false;
  }
  throw FlagError("flag --" + flag.name + "=" + *flag.value + ": Non-boolean argument to boolean flag");
}

int parse_count(const Flag& flag) {
  std::size_t used = 0;
  int count = -1;
  try {
    count = std::stoi(*flag.value, &used);
  } catch (const std::logic_error&) {
  }
  if (used != flag.value->size() || count < 0 || count > 1024) {
    throw FlagError("flag --" + flag.name + "=" + *flag.value + ": value should be a number from 0 to 1024");
  }
  return count;
}

Turn parse_turn(const Flag& flag) {
  for (const auto& [name, turn] : {std::pair{"tall", Turn::kTall}, {"none", Turn::kNone}, {"auto", Turn::kAuto}}) {
    if (*flag.value == name) {
      return turn;
    }
  }
  throw FlagError("flag --turn=" + *flag.value + ": value should be one of <tall|none|auto>");
}

void set(Arguments& arguments, const Flag& flag) {
  if (flag.name == "model") {
    arguments.model = *flag.value;
  } else if (flag.name == "detector") {
    arguments.detector = *flag.value;
  } else if (flag.name == "save_rectified") {
    arguments.save_rectified = *flag.value;
  } else if (flag.name == "turn") {
    arguments.turn = parse_turn(flag);
  } else if (flag.name == "threads") {
    arguments.threads = parse_count(flag);
  } else {
    if (*flag.value != "text" && *flag.value != "jsonl") {
      throw FlagError("flag --format=" + *flag.value + ": value should be one of <text|jsonl>");
    }
    arguments.jsonl = *flag.value == "jsonl";
  }
}

}  // namespace

Arguments parse_arguments(int argc, char** argv) {
  Arguments arguments;
  const std::vector<std::string> with_value = {"model", "detector", "save_rectified", "format", "turn", "threads"};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    if (argument == "--") {
      arguments.paths.insert(arguments.paths.end(), argv + i + 1, argv + argc);
      break;
    }
    if (argument.size() < 2 || argument[0] != '-') {
      arguments.paths.push_back(argument);
      continue;
    }
    Flag flag;
    const std::size_t start = argument[1] == '-' ? 2 : 1, equals = argument.find('=');
    flag.name = argument.substr(start, equals == std::string::npos ? equals : equals - start);
    if (equals != std::string::npos) {
      flag.value = argument.substr(equals + 1);
    }
    if (flag.name == "help" || flag.name == "h") {
      arguments.help = true;
    } else if (flag.name == "turn_tall") {
      arguments.turn_tall = parse_bool(flag);
    } else if (flag.name == "noturn_tall" && !flag.value) {
      arguments.turn_tall = false;
    } else if (std::find(with_value.begin(), with_value.end(), flag.name) != with_value.end()) {
      if (!flag.value && i + 1 == argc) {
        throw FlagError("Missing value for flag " + argument);
      }
      if (!flag.value) {
        flag.value = argv[++i];
      }
      set(arguments, flag);
    } else {
      throw FlagError("Unknown command line flag '" + flag.name + "'");
    }
  }
  return arguments;
}

}  // namespace spin
