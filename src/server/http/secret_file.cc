#include "server/http/secret_file.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/stat.h>
#include <unistd.h>

namespace windlass::server {
namespace {

constexpr mode_t kOthers = S_IRWXG | S_IRWXO;
constexpr size_t kFileBytesMax = 1 << 20;

Error failed(const std::string& path) { return Error(path + ": " + std::strerror(errno)); }

Status write_all(int file, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(file, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put <= 0) return failed(path);
    bytes.remove_prefix(static_cast<size_t>(put));
  }
  return ::fsync(file) == 0 ? Status() : Status(failed(path));
}

}  // namespace

Status make_private_directory(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  std::error_code error;
  if (!parent.empty()) std::filesystem::create_directories(parent, error);
  if (::mkdir(path.c_str(), S_IRWXU) == 0) return {};
  struct stat found {};
  if (errno != EEXIST || ::stat(path.c_str(), &found) != 0) return failed(path);
  if (!S_ISDIR(found.st_mode)) return Error(path + ": not a directory");
  if ((found.st_mode & kOthers) != 0 && ::chmod(path.c_str(), S_IRWXU) != 0) return failed(path);
  return {};
}

Result<std::optional<std::string>> read_private_file(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) {
    if (errno == ENOENT) return std::optional<std::string>();
    return failed(path);
  }
  struct stat found {};
  if (::fstat(file, &found) == 0 && (found.st_mode & kOthers) != 0) {
    ::fchmod(file, S_IRUSR | S_IWUSR);
  }
  std::string out;
  std::array<char, 4096> bytes;
  ssize_t got = 0;
  while ((got = ::read(file, bytes.data(), bytes.size())) > 0 && out.size() < kFileBytesMax) {
    out.append(bytes.data(), static_cast<size_t>(got));
  }
  const int error = errno;
  ::close(file);
  errno = error;
  if (got < 0) return failed(path);
  if (got > 0) return Error(path + ": too large");
  return std::optional<std::string>(std::move(out));
}

Status write_private_file(const std::string& path, std::string_view contents) {
  const std::string draft = path + ".new";
  ::unlink(draft.c_str());  // left behind by a kill; O_EXCL also refuses a link laid for us
  const int file =
      ::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file < 0) return failed(draft);
  Status written = write_all(file, contents, draft);
  ::close(file);
  if (written.ok() && ::rename(draft.c_str(), path.c_str()) != 0) written = failed(path);
  if (!written.ok()) ::unlink(draft.c_str());
  return written;
}

}  // namespace windlass::server
