// Which way up a photograph was taken.
#ifndef SPIN_EXIF_H_
#define SPIN_EXIF_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace spin {

// The orientation, 1 to 8, that EXIF data (with or without the "Exif\0\0" before it) or, where that has none, XMP
// data asks for; 1 where neither does, and where they are damaged.
int orientation(const std::string& exif, const std::string& xmp);

}  // namespace spin

#endif  // SPIN_EXIF_H_
