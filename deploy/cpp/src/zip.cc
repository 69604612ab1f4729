#include "zip.h"

#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <system_error>

#include "contract.h"

namespace spin {
namespace {

constexpr std::size_t kEndSize = 22, kEntrySize = 46, kLocalSize = 30, kMaxComment = 0xFFFF;
constexpr std::uint32_t kEndMagic = 0x06054b50, kEntryMagic = 0x02014b50, kLocalMagic = 0x04034b50;
constexpr std::uint64_t kMaxContent = contract::kMetadataMaxBytes;

std::uint32_t number(const std::string& bytes, std::size_t offset, int size) {
  std::uint32_t value = 0;
  for (int i = size; i-- > 0;) {
    value = value << 8 | static_cast<std::uint8_t>(bytes[offset + static_cast<std::size_t>(i)]);
  }
  return value;
}

class File {
 public:
  explicit File(const std::string& path) : stream_(path, std::ios::binary) {
    if (!stream_ || !stream_.seekg(0, std::ios::end)) {
      throw std::system_error(errno, std::generic_category(), path);
    }
    size_ = static_cast<std::uint64_t>(stream_.tellg());
  }

  std::uint64_t size() const { return size_; }

  // Exactly these bytes, or nothing.
  std::optional<std::string> read(std::uint64_t offset, std::uint64_t count) {
    if (offset > size_ || count > size_ - offset) {
      return std::nullopt;
    }
    std::string bytes(count, '\0');
    stream_.clear();
    stream_.seekg(static_cast<std::streamoff>(offset));
    stream_.read(bytes.data(), static_cast<std::streamsize>(count));
    return stream_ ? std::optional(std::move(bytes)) : std::nullopt;
  }

 private:
  std::ifstream stream_;
  std::uint64_t size_ = 0;
};

std::optional<std::string> inflated(const std::string& packed, std::size_t size) {
  std::string content(size, '\0');
  z_stream stream{};
  // Negative: without zlib's header, as zip archives have it.
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) {
    return std::nullopt;
  }
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(content.data());
  stream.avail_out = static_cast<uInt>(size);
  const int answer = inflate(&stream, Z_FINISH);
  const bool whole = answer == Z_STREAM_END && stream.total_out == size;
  inflateEnd(&stream);
  return whole ? std::optional(std::move(content)) : std::nullopt;
}

// One file of the archive; `shift` is what stands before the archive and was not there when its offsets were written.
std::optional<std::string> content_of(File& file, const std::string& directory, std::size_t entry, std::uint64_t shift) {
  const std::uint32_t method = number(directory, entry + 10, 2), crc = number(directory, entry + 16, 4);
  const std::uint64_t packed_size = number(directory, entry + 20, 4), size = number(directory, entry + 24, 4);
  const std::uint64_t local = shift + number(directory, entry + 42, 4);
  const auto header = file.read(local, kLocalSize);
  if (!header || number(*header, 0, 4) != kLocalMagic || size > kMaxContent || packed_size > kMaxContent) {
    return std::nullopt;
  }
  auto content = file.read(local + kLocalSize + number(*header, 26, 2) + number(*header, 28, 2), packed_size);
  if (content && method == Z_DEFLATED) {
    content = inflated(*content, size);
  } else if (method != 0) {
    return std::nullopt;
  }
  if (!content || content->size() != size ||
      crc32(0, reinterpret_cast<const Bytef*>(content->data()), static_cast<uInt>(size)) != crc) {
    return std::nullopt;
  }
  return content;
}

}  // namespace

std::optional<ZipMember> read_zip_member(const std::string& path, const std::string& name) {
  File file(path);
  const std::uint64_t tail_size = std::min<std::uint64_t>(file.size(), kEndSize + kMaxComment);
  const auto tail = file.read(file.size() - tail_size, tail_size);
  if (!tail || tail->size() < kEndSize) {
    return std::nullopt;
  }
  // The last record that reads as the end of an archive: a comment may follow it.
  std::size_t end = tail->size() - kEndSize + 1;
  do {
    if (end-- == 0) {
      return std::nullopt;
    }
  } while (number(*tail, end, 4) != kEndMagic);
  const std::uint64_t directory_size = number(*tail, end + 12, 4), directory_offset = number(*tail, end + 16, 4);
  const std::uint64_t end_offset = file.size() - tail_size + end;
  if (directory_size + directory_offset > end_offset) {
    return std::nullopt;
  }
  const std::uint64_t shift = end_offset - directory_size - directory_offset;
  const auto directory = file.read(shift + directory_offset, directory_size);
  for (std::size_t entry = 0; directory && entry + kEntrySize <= directory->size();) {
    const std::size_t name_size = number(*directory, entry + 28, 2), extra_size = number(*directory, entry + 30, 2);
    const std::size_t comment_size = number(*directory, entry + 32, 2);
    const std::size_t comment = entry + kEntrySize + name_size + extra_size;
    if (number(*directory, entry, 4) != kEntryMagic || comment + comment_size > directory->size()) {
      return std::nullopt;
    }
    if (directory->compare(entry + kEntrySize, name_size, name) == 0) {
      auto content = content_of(file, *directory, entry, shift);
      return content ? std::optional(ZipMember{std::move(*content), directory->substr(comment, comment_size)})
                     : std::nullopt;
    }
    entry = comment + comment_size;
  }
  return std::nullopt;
}

}  // namespace spin
