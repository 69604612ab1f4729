// Even ground around what a picture shows: `without_ground` of spin_tf/data/contract.py, to the pixel.
#ifndef SPIN_GROUND_H_
#define SPIN_GROUND_H_

#include "image.h"

namespace spin {

// The picture without the even ground around its content, but for a margin; the whole picture where there is none, or
// too little to matter. Looks at a sample of kGroundRows x kGroundColumns pixels at most.
View without_ground(const View& view);

}  // namespace spin

#endif  // SPIN_GROUND_H_
