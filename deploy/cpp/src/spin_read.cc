// Reads word images: the command bin/recognize.py without Python.

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <exception>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <thread>

#include "arguments.h"
#include "cores.h"
#include "files.h"
#include "image_names.h"
#include "output.h"
#include "spin/photo.h"
#include "spin/recognizer.h"
#include "text.h"

namespace spin {
namespace {

// What became of one file: lines for stdout, or the reason that goes to stderr.
struct Result {
  std::string line;
  bool read = false;
  std::string note = "";
};

// What reads: photographs where there is a detector, words else.
struct Models {
  Recognizer recognizer;
  std::optional<Detector> detector;
};

Result read_one(const Models& models, const Found& found, bool jsonl) {
  if (!found.problem.empty()) {
    return {found.problem};
  }
  try {
    const std::string bytes = found.is_pipe ? read_pipe(found.path) : read_file(found.path);
    const bool has_more = !found.is_pipe && is_animated_png(bytes);
    const std::string note = has_more ? "only the first of its frames is read" : "";
    if (models.detector) {
      return {format_photo(found.path, read_photo(models.recognizer, *models.detector, bytes), jsonl), true, note};
    }
    return {format_word(found.path, models.recognizer.read(bytes), jsonl), true, note};
  } catch (const ImageError& error) {
    return {one_line(error.what())};
  } catch (const FileError& error) {
    return {one_line(error.what())};
  }
}

// Reads files on several threads and hands the results out in order, a few ahead of whoever takes them: memory does
// not grow with their number.
class Reader {
 public:
  Reader(const Models& models, const std::vector<Found>& paths, bool jsonl, int num_threads)
      : models_(models), paths_(paths), jsonl_(jsonl) {
    const std::size_t count = std::min(static_cast<std::size_t>(num_threads), paths.size());
    slots_.resize(16 * count);
    for (std::size_t i = 0; i < count; ++i) {
      threads_.emplace_back([this] { work(); });
    }
  }
  ~Reader() {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      next_ = paths_.size();
      taken_ = paths_.size();
    }
    changed_.notify_all();
    for (std::thread& thread : threads_) {
      thread.join();
    }
  }

  // The result of the next file; called once for each of them. Throws what broke the reading of all.
  Result take() {
    std::unique_lock<std::mutex> lock(mutex_);
    Slot& slot = slots_[taken_ % slots_.size()];
    changed_.wait(lock, [&] { return slot.filled || failure_; });
    if (failure_) {
      std::rethrow_exception(failure_);
    }
    slot.filled = false;
    ++taken_;
    changed_.notify_all();
    return std::move(slot.result);
  }

 private:
  struct Slot {
    Result result;
    bool filled = false;
  };

  void work() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return failure_ || next_ >= paths_.size() || next_ < taken_ + slots_.size(); });
      if (failure_ || next_ >= paths_.size()) {
        return;
      }
      const std::size_t index = next_++;
      lock.unlock();
      Result result;
      std::exception_ptr failure;
      try {
        result = read_one(models_, paths_[index], jsonl_);
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      failure_ = failure_ ? failure_ : failure;
      slots_[index % slots_.size()] = {std::move(result), true};
      changed_.notify_all();
    }
  }

  const Models& models_;
  const std::vector<Found>& paths_;
  const bool jsonl_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<Slot> slots_;
  std::size_t next_ = 0;
  std::size_t taken_ = 0;
  std::exception_ptr failure_;
  std::vector<std::thread> threads_;
};

// Holds back what is written to stderr while it lives and drops the lines that only inform: LiteRT announces its
// XNNPACK delegate there and has no switch for it; stderr of a command is for what went wrong. Where an exception tells
// that, in one line, nothing else is let through.
class WithoutChatter {
 public:
  WithoutChatter() : log_(std::tmpfile()), kept_(log_ ? dup(STDERR_FILENO) : -1) {
    std::fflush(stderr);
    if (kept_ >= 0) {
      dup2(fileno(log_), STDERR_FILENO);
    }
  }
  ~WithoutChatter() {
    if (kept_ >= 0) {
      std::fflush(stderr);
      dup2(kept_, STDERR_FILENO);
      close(kept_);
      std::rewind(log_);
      char line[1024];
      bool starts = true, informs = false;
      while (std::fgets(line, sizeof line, log_)) {
        informs = starts ? std::strncmp(line, "INFO:", 5) == 0 : informs;
        starts = std::strchr(line, '\n') != nullptr;
        if (!informs && std::uncaught_exceptions() == 0) {
          std::fputs(line, stderr);
        }
      }
    }
    if (log_) {
      std::fclose(log_);
    }
  }
  WithoutChatter(const WithoutChatter&) = delete;
  WithoutChatter& operator=(const WithoutChatter&) = delete;

 private:
  std::FILE* const log_;
  const int kept_;
};

// The model that was installed with this program, wherever that is now; else that of the build.
std::string default_model() {
  char program[4096];
  const ssize_t length = readlink("/proc/self/exe", program, sizeof program);
  if (length > 0 && static_cast<std::size_t>(length) < sizeof program) {
    const std::string path(program, static_cast<std::size_t>(length));
    const std::string installed = path.substr(0, path.rfind('/') + 1) + SPIN_MODEL_FROM_PROGRAM;
    if (access(installed.c_str(), R_OK) == 0) {
      return installed;
    }
  }
  return SPIN_DEFAULT_MODEL;
}

Models load(const Arguments& arguments, int num_threads) {
  Options options;
  options.turn = arguments.turn;
  options.turn_tall = arguments.turn_tall;
  const WithoutChatter quiet;
  Models models{Recognizer(arguments.model.empty() ? default_model() : arguments.model, options), std::nullopt};
  if (!arguments.detector.empty()) {
    models.detector.emplace(arguments.detector, num_threads);
  }
  return models;
}

// Whoever read the output (`| head`) has enough: no error. Anything else is one.
struct ReaderGone {};

void write_out(const std::string& text) {
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    if (errno == EPIPE) {
      throw ReaderGone();
    }
    throw UserError("[Errno " + std::to_string(errno) + "] " + std::strerror(errno));
  }
}

void flush_out() {
  if (std::fflush(stdout) != 0) {
    if (errno == EPIPE) {
      throw ReaderGone();
    }
    throw UserError("[Errno " + std::to_string(errno) + "] " + std::strerror(errno));
  }
}

// A line on stderr about a file or folder; nothing where there is nothing to say.
void say(const std::string& path, const std::string& what) {
  if (!what.empty()) {
    std::fprintf(stderr, "%s: %s\n", escaped(path).c_str(), one_line(what).c_str());
  }
}

int run(const Arguments& arguments) {
  if (arguments.paths.empty()) {
    throw UserError("name the image files or folders to read, for example: spin_read word.png");
  }
  const std::vector<Found> paths = find_images(arguments.paths, say);
  std::string problems;
  for (const Found& found : paths) {
    problems += (problems.empty() ? "" : "; ") + found.problem + ". Received: " + found.path;
  }
  if (std::all_of(paths.begin(), paths.end(), [](const Found& found) { return !found.problem.empty(); })) {
    throw UserError(problems);
  }
  const int num_threads = arguments.threads > 0 ? arguments.threads : num_cores();
  const Models models = load(arguments, num_threads);
  if (!arguments.save_rectified.empty()) {
    throw UserError("--save_rectified is for bin/recognize.py: this program only reads. Received: --save_rectified=" +
                    arguments.save_rectified);
  }
  bool all_read = true;
  Reader reader(models, paths, arguments.jsonl, num_threads);
  for (const Found& found : paths) {
    const Result result = reader.take();
    if (result.read) {
      write_out(result.line);
      say(found.path, result.note);
    } else {
      say(found.path, result.line);
      all_read = false;
    }
  }
  flush_out();
  return all_read ? 0 : 1;
}

}  // namespace
}  // namespace spin

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);
  std::signal(SIGINT, [](int) {
    const char message[] = "interrupted\n";
    // Nothing but these two may be called here.
    if (write(STDERR_FILENO, message, sizeof message - 1) >= 0) {
      _exit(130);
    }
    _exit(130);
  });
  try {
    const spin::Arguments arguments = spin::parse_arguments(argc, argv);
    if (arguments.help) {
      std::fputs(spin::kUsage, stdout);
      return 0;
    }
    return spin::run(arguments);
  } catch (const spin::FlagError& error) {
    std::fprintf(stderr, "error: %s (--help lists the flags)\n", error.what());
    return 2;
  } catch (const spin::ReaderGone&) {
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", spin::one_line(error.what()).c_str());
    return 2;
  }
}
