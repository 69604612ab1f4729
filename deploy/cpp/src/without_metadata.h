// PNG and JPEG files without what is not pixels, for when that is damaged and the pixels are not.
#ifndef SPIN_WITHOUT_METADATA_H_
#define SPIN_WITHOUT_METADATA_H_

#include <cstddef>
#include <cstdint>
#include <vector>

namespace spin {

// Drops text, profiles, EXIF and thumbnails, as spin_tf/data/images.py does; what is not laid out as a file
// of its kind stays.
std::vector<std::uint8_t> without_metadata(const std::uint8_t* data, std::size_t size);

}  // namespace spin

#endif  // SPIN_WITHOUT_METADATA_H_
