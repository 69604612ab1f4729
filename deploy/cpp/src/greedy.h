// Greedy decoding: the most probable character of each step, as in spin_tf/contract/greedy.py.
#ifndef SPIN_GREEDY_H_
#define SPIN_GREEDY_H_

#include <string>
#include <vector>

#include "model.h"
#include "spin/recognizer.h"

namespace spin {

Word decode(const std::vector<std::string>& characters, const Prediction& prediction, int turned);

}  // namespace spin

#endif  // SPIN_GREEDY_H_
