/* The C header at work: reads one file, as bytes and as pixels, and shows what mistakes answer.
 *
 *     read_c MODEL IMAGE
 */
#include <spin/spin.h>

#include <stdio.h>
#include <stdlib.h>

static char* read_all(const char* path, size_t* size) {
  FILE* file = fopen(path, "rb");
  char* bytes = NULL;
  if (file && fseek(file, 0, SEEK_END) == 0) {
    long end = ftell(file);
    rewind(file);
    bytes = end < 0 ? NULL : malloc((size_t)end + 1);
    *size = bytes ? fread(bytes, 1, (size_t)end, file) : 0;
  }
  if (file) {
    fclose(file);
  }
  return bytes;
}

/* Not inside printf: the order in which arguments are worked out is open. */
static void show(const char* what, spin_status status) { printf("%s: %d %s\n", what, status, spin_last_error()); }

int main(int argc, char** argv) {
  spin_recognizer* recognizer = NULL;
  spin_word* word = NULL;
  unsigned char grey[32 * 100];
  size_t size = 0, i;
  char* bytes;
  if (argc != 3) {
    fputs("read_c MODEL IMAGE\n", stderr);
    return 2;
  }
  show("absent model", spin_create("absent.tflite", SPIN_TURN_TALL, &recognizer));
  show("no turn", spin_create(argv[1], 3, &recognizer));
  if (spin_create(argv[1], SPIN_TURN_AUTO, &recognizer) != SPIN_OK) {
    fprintf(stderr, "%s\n", spin_last_error());
    return 2;
  }
  printf("charset: %s\n", spin_charset(recognizer));
  bytes = read_all(argv[2], &size);
  if (!bytes) {
    fprintf(stderr, "cannot read %s\n", argv[2]);
    return 2;
  }
  if (spin_read(recognizer, bytes, size, &word) != SPIN_OK) {
    fprintf(stderr, "%s\n", spin_last_error());
    return 1;
  }
  printf("%s %.6f %d\n", word->text, word->confidence, word->turned);
  for (i = 0; i < word->num_characters; ++i) {
    printf("%s %.6f %.6f\n", word->characters[i].character, word->characters[i].confidence, word->characters[i].x);
  }
  spin_free_word(word);
  show("half a file", spin_read(recognizer, bytes, size / 2, &word));
  show("nothing", spin_read(recognizer, NULL, 0, &word));
  show("no recogniser", spin_read(NULL, bytes, size, &word));
  for (i = 0; i < sizeof grey; ++i) {
    grey[i] = 255;
  }
  show("pixels", spin_read_pixels(recognizer, grey, 32, 100, 1, 0, &word));
  spin_free_word(word);
  show("two channels", spin_read_pixels(recognizer, grey, 32, 50, 2, 0, &word));
  spin_free_word(word);
  spin_destroy(recognizer);
  free(bytes);
  return 0;
}
