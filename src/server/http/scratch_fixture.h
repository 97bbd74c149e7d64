// For tests: a directory of its own that goes with its owner.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

namespace windlass::server {

struct Scratch {
  Scratch() {
    std::string pattern = testing::TempDir() + "windlass-XXXXXX";
    path = ::mkdtemp(pattern.data());
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(path, ignored);
  }
  std::string path;
};

}  // namespace windlass::server
