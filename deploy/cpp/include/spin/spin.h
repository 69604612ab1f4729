/* Word images in, words out, for C and whatever calls C. No function lets an exception through. */
#ifndef SPIN_SPIN_H_
#define SPIN_SPIN_H_

#include <stddef.h>

#if defined(__GNUC__)
#define SPIN_C_EXPORT __attribute__((visibility("default")))
#else
#define SPIN_C_EXPORT
#endif

#ifdef __cplusplus
extern "C" {
#endif

typedef enum {
  SPIN_OK = 0,
  SPIN_IMAGE_ERROR = 1,    /* the image cannot be read */
  SPIN_MODEL_ERROR = 2,    /* the model cannot be loaded or run */
  SPIN_ARGUMENT_ERROR = 3, /* a null pointer, or pixels of no shape that an image has */
  SPIN_OUT_OF_MEMORY = 4,
  SPIN_INTERNAL_ERROR = 5
} spin_status;

/* How crops are read beside as they are. Of several readings the surest counts, of equally sure ones the first. */
typedef enum {
  SPIN_TURN_NONE = 0, /* not at all */
  SPIN_TURN_TALL = 1, /* turned by a quarter either way, where they are at least 1.5 times as high as wide */
  SPIN_TURN_AUTO = 2  /* as SPIN_TURN_TALL, and upside down, each crop */
} spin_turn;

typedef struct spin_recognizer spin_recognizer;

typedef struct {
  const char* character; /* UTF-8, ends with 0 */
  double confidence;     /* 0..1 */
  double x;              /* the centre of attention across the crop, 0..1 */
} spin_character;

typedef struct {
  const char* text;  /* UTF-8, ends with 0; empty where the model sees no word */
  double confidence; /* 0..1, of exactly this reading */
  int turned;        /* degrees counter-clockwise by which the crop was turned: 0, 90, -90 or 180 */
  int truncated;     /* 1 where the word did not end within the model's longest, so that more may follow */
  size_t num_characters;
  const spin_character* characters;
} spin_word;

/* Loads a .tflite file. turn: a spin_turn (SPIN_TURN_TALL is what bin/recognize.py does). One recogniser may be used by
 * many threads at once. */
SPIN_C_EXPORT spin_status spin_create(const char* path, int turn, spin_recognizer** recognizer);
SPIN_C_EXPORT void spin_destroy(spin_recognizer* recognizer);

/* Reads the bytes of a JPEG or PNG file. The word belongs to the caller: spin_free_word. */
SPIN_C_EXPORT spin_status spin_read(const spin_recognizer* recognizer, const void* data, size_t size, spin_word** word);

/* Reads decoded pixels: rows from the top, channels 1 (grey) or 3 (red, green, blue), row_stride 0 where the rows
 * follow each other. */
SPIN_C_EXPORT spin_status spin_read_pixels(const spin_recognizer* recognizer, const unsigned char* pixels, size_t height,
                                           size_t width, int channels, size_t row_stride, spin_word** word);
SPIN_C_EXPORT void spin_free_word(spin_word* word);

/* The characters that the model can read, in the order of its classes, UTF-8. */
SPIN_C_EXPORT const char* spin_charset(const spin_recognizer* recognizer);

/* What went wrong in the last call of this thread that did not answer SPIN_OK: one line, valid until the next call. */
SPIN_C_EXPORT const char* spin_last_error(void);

#ifdef __cplusplus
}
#endif

#endif /* SPIN_SPIN_H_ */
