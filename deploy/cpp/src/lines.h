// Words into lines, lines into the order in which they are read: the twin of spin_tf/photo/order.py.
#ifndef SPIN_LINES_H_
#define SPIN_LINES_H_

#include <array>
#include <cstddef>
#include <vector>

namespace spin {

// The numbers of the words of each line, both in reading order.
std::vector<std::vector<std::size_t>> lines_of(const std::vector<std::array<double, 8>>& words);

}  // namespace spin

#endif  // SPIN_LINES_H_
