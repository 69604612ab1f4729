#include "greedy.h"

#include <algorithm>

#include "contract.h"

namespace spin {
namespace {

constexpr std::size_t kEndId = contract::kEndId, kFirstCharacterId = contract::kFirstCharacterId;

}  // namespace

Word decode(const std::vector<std::string>& characters, const Prediction& prediction, int turned) {
  Word word;
  word.confidence = 1;
  word.turned = turned;
  word.truncated = true;
  for (std::size_t step = 0; step < prediction.steps; ++step) {
    const float* row = prediction.probabilities.data() + step * prediction.classes;
    const float* best = std::max_element(row, row + prediction.classes);
    const auto id = static_cast<std::size_t>(best - row);
    word.confidence *= static_cast<double>(*best);
    if (id >= kFirstCharacterId) {
      const std::string& character = characters.at(id - kFirstCharacterId);
      word.text += character;
      word.characters.push_back({character, static_cast<double>(*best), static_cast<double>(prediction.positions[step])});
    }
    if (id == kEndId) {
      word.truncated = false;
      break;
    }
  }
  return word;
}

}  // namespace spin
