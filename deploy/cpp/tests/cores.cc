// Writes how many cores this process may use; with a number and a folder that stands for /proc/self, how many of that
// number.

#include "cores.h"

#include <cstdlib>
#include <iostream>

int main(int argc, char** argv) {
  std::cout << (argc == 3 ? spin::within_quotas(std::atoi(argv[1]), argv[2]) : spin::num_cores()) << '\n';
  return 0;
}
