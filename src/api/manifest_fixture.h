// For this room's tests: reads manifests and shows findings as lines of text.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "api/object.h"

namespace windlass::api {

inline std::string lines_of(const std::vector<Finding>& findings) {
  std::string out;
  for (const Finding& finding : findings) out += finding.place + ": " + finding.text + "\n";
  return out;
}

inline std::string errors_of(std::string_view text) {
  return lines_of(read_manifests(text, "m.yaml").errors);
}
inline std::string warnings_of(std::string_view text) {
  return lines_of(read_manifests(text, "m.yaml").warnings);
}

// The only object of a text that must have no errors.
template <typename T>
T only(std::string_view text) {
  const Manifests manifests = read_manifests(text, "m.yaml");
  if (!manifests.errors.empty() || manifests.objects.size() != 1) {
    throw std::runtime_error("not one good manifest: " + lines_of(manifests.errors));
  }
  return std::get<T>(manifests.objects.front());
}

// `text` with the first `from` replaced by `to`.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
  std::string out(text);
  const size_t at = out.find(from);
  if (at == std::string::npos) throw std::runtime_error("no such piece: " + std::string(from));
  return out.replace(at, from.size(), to);
}

// One change of a good manifest and what the error about it must hold.
struct Refusal {
  const char* from;
  const char* to;
  const char* error;
};

}  // namespace windlass::api
