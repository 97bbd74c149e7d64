#include "live/kube/files.h"

#include <array>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>
#include <unistd.h>

namespace windlass::live::kube {

namespace {

constexpr size_t kMaxFileBytes = 16 << 20;

Error file_error(const std::string& path) {
  return Error(path + ": " + std::generic_category().message(errno));
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "rbe"),
                                                             &std::fclose);
  if (file == nullptr) return file_error(path);
  std::string out;
  std::array<char, 16384> buffer;
  while (const size_t size = std::fread(buffer.data(), 1, buffer.size(), file.get())) {
    out.append(buffer.data(), size);
    if (out.size() > kMaxFileBytes) return Error(path + ": larger than 16 MiB");
  }
  if (std::ferror(file.get()) != 0) return file_error(path);  // a directory, say
  return out;
}

bool file_exists(const std::string& path) { return ::access(path.c_str(), F_OK) == 0; }

}  // namespace windlass::live::kube
