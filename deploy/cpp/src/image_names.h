// What image files are called and begin with.
#ifndef SPIN_IMAGE_NAMES_H_
#define SPIN_IMAGE_NAMES_H_

#include <string>

namespace spin {

// Bytes at the start of a file that `begins_like_an_image` looks at.
constexpr std::size_t kHeadBytes = 64;

// Whether a file is called like an image of any kind; those that are not read are named as such, never passed over. The
// list of spin_tf/data/formats.py.
bool is_image_name(const std::string& name);

// Whether a file of another name begins as an image does.
bool begins_like_an_image(const std::string& head);

// Whether the bytes of a file are a PNG of several frames, of which the first is read.
bool is_animated_png(const std::string& bytes);

}  // namespace spin

#endif  // SPIN_IMAGE_NAMES_H_
