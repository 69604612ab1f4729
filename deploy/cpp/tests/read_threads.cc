// Reads the files named on the command line on several threads at once with one Recognizer, several times over, and
// compares every word with what one thread read. Writes `N words, M differ`; the exit code is 1 if M is not 0.
//
//     read_threads MODEL NUM_THREADS MAX_INSTANCES FILE...
#include <atomic>
#include <cstdlib>
#include <iostream>
#include <thread>

#include "../src/files.h"
#include "spin/recognizer.h"

int main(int argc, char** argv) {
  if (argc < 5) {
    std::cerr << "read_threads MODEL NUM_THREADS MAX_INSTANCES FILE...\n";
    return 2;
  }
  constexpr int kRounds = 3;
  const int num_threads = std::atoi(argv[2]);
  spin::Options options;
  options.max_instances = std::atoi(argv[3]);
  const spin::Recognizer recognizer(argv[1], options);
  std::vector<std::string> files;
  std::vector<spin::Word> expected;
  for (int i = 4; i < argc; ++i) {
    files.push_back(spin::read_file(argv[i]));
    expected.push_back(recognizer.read(files.back()));
  }
  std::atomic<int> num_words{0}, num_different{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < num_threads; ++t) {
    threads.emplace_back([&, t] {
      for (std::size_t i = 0; i < kRounds * files.size(); ++i) {
        const std::size_t index = (i + static_cast<std::size_t>(t)) % files.size();
        const spin::Word word = recognizer.read(files[index]);
        ++num_words;
        num_different += word.text != expected[index].text || word.confidence != expected[index].confidence;
      }
    });
  }
  for (std::thread& thread : threads) {
    thread.join();
  }
  std::cout << num_words << " words, " << num_different << " differ\n";
  return num_different == 0 ? 0 : 1;
}
