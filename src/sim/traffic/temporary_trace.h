// For tests: a file with the given text that goes away with its object.
#pragma once

#include <cstdio>
#include <string>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass::sim {

class TemporaryTrace {
 public:
  explicit TemporaryTrace(const std::string& text) {
    static int count = 0;
    path_ = fmt::format("{}/windlass_trace_{}_{}.csv", testing::TempDir(), getpid(), count++);
    std::FILE* file = std::fopen(path_.c_str(), "wb");
    EXPECT_NE(file, nullptr) << path_;
    if (file == nullptr) return;
    EXPECT_EQ(std::fwrite(text.data(), 1, text.size(), file), text.size());
    std::fclose(file);
  }
  TemporaryTrace(const TemporaryTrace&) = delete;
  TemporaryTrace& operator=(const TemporaryTrace&) = delete;
  ~TemporaryTrace() { std::remove(path_.c_str()); }

  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace windlass::sim
