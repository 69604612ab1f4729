#include <memory>
#include <new>
#include <vector>

#include "spin/recognizer.h"
#include "spin/spin.h"

struct spin_recognizer {
  spin::Recognizer recognizer;
};

namespace {

// The word that C sees, and what its pointers point at.
struct OwnedWord : spin_word {
  spin::Word word;
  std::vector<spin_character> characters;
};

thread_local std::string last_error;

// Whatever goes wrong becomes a status.
template <typename Function>
spin_status guarded(Function function) noexcept {
  try {
    try {
      last_error.clear();
      function();
      return SPIN_OK;
    } catch (const spin::ImageError& error) {
      last_error = error.what();
      return SPIN_IMAGE_ERROR;
    } catch (const spin::ModelError& error) {
      last_error = error.what();
      return SPIN_MODEL_ERROR;
    } catch (const std::invalid_argument& error) {
      last_error = error.what();
      return SPIN_ARGUMENT_ERROR;
    } catch (const std::bad_alloc&) {
      last_error = "out of memory";
      return SPIN_OUT_OF_MEMORY;
    } catch (const std::exception& error) {
      last_error = error.what();
      return SPIN_INTERNAL_ERROR;
    }
  } catch (...) {
    // Not even the message could be kept.
    return SPIN_INTERNAL_ERROR;
  }
}

void require(bool given, const char* name) {
  if (!given) {
    throw std::invalid_argument(std::string(name) + " is a null pointer");
  }
}

spin_word* exported(spin::Word&& word) {
  auto owned = std::make_unique<OwnedWord>();
  owned->word = std::move(word);
  for (const spin::Character& character : owned->word.characters) {
    owned->characters.push_back({character.character.c_str(), character.confidence, character.x});
  }
  static_cast<spin_word&>(*owned) = {owned->word.text.c_str(), owned->word.confidence, owned->word.turned,
                                     owned->word.truncated ? 1 : 0, owned->characters.size(), owned->characters.data()};
  return owned.release();
}

}  // namespace

spin_status spin_create(const char* path, int turn, spin_recognizer** recognizer) {
  return guarded([&] {
    require(path, "path");
    require(recognizer, "recognizer");
    *recognizer = nullptr;
    if (turn < SPIN_TURN_NONE || turn > SPIN_TURN_AUTO) {
      throw std::invalid_argument("turn is a spin_turn, 0 to 2. Received: turn=" + std::to_string(turn));
    }
    spin::Options options;
    options.turn = static_cast<spin::Turn>(turn);
    *recognizer = new spin_recognizer{spin::Recognizer(path, options)};
  });
}

void spin_destroy(spin_recognizer* recognizer) { delete recognizer; }

spin_status spin_read(const spin_recognizer* recognizer, const void* data, size_t size, spin_word** word) {
  return guarded([&] {
    require(recognizer, "recognizer");
    require(word, "word");
    *word = nullptr;
    require(data || size == 0, "data");
    *word = exported(recognizer->recognizer.read(data, size));
  });
}

spin_status spin_read_pixels(const spin_recognizer* recognizer, const unsigned char* pixels, size_t height, size_t width,
                             int channels, size_t row_stride, spin_word** word) {
  return guarded([&] {
    require(recognizer, "recognizer");
    require(word, "word");
    *word = nullptr;
    *word = exported(recognizer->recognizer.read_pixels(pixels, height, width, channels, row_stride));
  });
}

void spin_free_word(spin_word* word) { delete static_cast<OwnedWord*>(word); }

const char* spin_charset(const spin_recognizer* recognizer) {
  return recognizer ? recognizer->recognizer.charset().c_str() : "";
}

const char* spin_last_error(void) { return last_error.c_str(); }
