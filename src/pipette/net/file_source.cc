#include "pipette/net/file_source.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace pipette::net {
namespace {

std::error_code last_error() { return {errno, std::system_category()}; }

class FileSource final : public BodySource {
 public:
  FileSource(int descriptor, std::uint64_t size) : descriptor_(descriptor), left_(size) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(descriptor_); }

  Task<Result<std::size_t>> read(MutableBytes into) override {
    const std::size_t most = std::min<std::uint64_t>(into.size(), left_);
    if (most == 0) co_return 0;
    ssize_t count = 0;
    do count = ::read(descriptor_, into.data(), most);
    while (count < 0 && errno == EINTR);
    if (count < 0) co_return std::unexpected(last_error());
    if (count == 0) co_return fail(Errc::incomplete_message);
    left_ -= static_cast<std::uint64_t>(count);
    co_return static_cast<std::size_t>(count);
  }

 private:
  int descriptor_;
  std::uint64_t left_;
};

}  // namespace

Result<OpenedFile> open_file(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);  // a FIFO must not hold us up
  if (descriptor < 0) return std::unexpected(last_error());
  struct stat facts{};
  const bool is_known = ::fstat(descriptor, &facts) == 0;
  if (!is_known || !S_ISREG(facts.st_mode)) {
    const std::error_code error = is_known ? make_error_code(Errc::not_supported) : last_error();
    ::close(descriptor);
    return std::unexpected(error);
  }
  OpenedFile file;
  file.size = static_cast<std::uint64_t>(facts.st_size);
  file.source = std::make_unique<FileSource>(descriptor, file.size);
  file.modified = WallTime(std::chrono::seconds(facts.st_mtim.tv_sec));
  return file;
}

}  // namespace pipette::net
