// How many cores this process may use.
#ifndef SPIN_CORES_H_
#define SPIN_CORES_H_

#include <string>

namespace spin {

// The least of the machine's cores, the affinity of the process and the quotas of its control groups, rounded up:
// spin_tf/_cores.py in C++.
int num_cores();

// `cores`, or what the quotas leave of them (versions 1 and 2, of the group and of all around it), at least 1. `proc` is
// where Linux describes the process.
int within_quotas(int cores, const std::string& proc);

}  // namespace spin

#endif  // SPIN_CORES_H_
