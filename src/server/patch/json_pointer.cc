#include "server/patch/json_pointer.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace windlass::server::patch {
namespace {

Result<std::string> unescape(std::string_view step) {
  std::string plain;
  plain.reserve(step.size());
  for (size_t i = 0; i < step.size(); ++i) {
    if (step[i] != '~') {
      plain += step[i];
      continue;
    }
    const char code = i + 1 < step.size() ? step[i + 1] : '\0';
    if (code != '0' && code != '1') {
      return Error(fmt::format("\"{}\": ~ is followed by neither 0 nor 1", printable(step, 80)));
    }
    plain += code == '0' ? '~' : '/';
    ++i;
  }
  return plain;
}

}  // namespace

Result<std::vector<std::string>> parse_pointer(std::string_view text) {
  std::vector<std::string> steps;
  if (text.empty()) return steps;
  if (text.front() != '/') {
    return Error(fmt::format("\"{}\": a path starts with /", printable(text, 80)));
  }
  while (!text.empty()) {
    text.remove_prefix(1);
    const size_t end = std::min(text.find('/'), text.size());
    Result<std::string> step = unescape(text.substr(0, end));
    if (!step) return step.error();
    steps.push_back(*std::move(step));
    text.remove_prefix(end);
  }
  return steps;
}

Result<size_t> array_index(std::string_view step, size_t limit) {
  const bool digits = !step.empty() && step.find_first_not_of("0123456789") == step.npos;
  if (!digits || (step.size() > 1 && step.front() == '0')) {
    return Error(fmt::format("\"{}\" is not an array index", printable(step, 80)));
  }
  size_t index = 0;
  for (const char c : step) {
    index = index * 10 + static_cast<size_t>(c - '0');
    if (index > limit) {  // tested at every digit, so that it can't overflow
      return Error(fmt::format("index {} is beyond the array's end", printable(step, 80)));
    }
  }
  return index;
}

Result<Json*> walk_pointer(Json& document, const std::vector<std::string>& steps, size_t count) {
  Json* at = &document;
  for (size_t i = 0; i < count; ++i) {
    const std::string& step = steps[i];
    if (at->is_object()) {
      const auto found = at->find(step);
      if (found == at->end()) {
        return Error(fmt::format("there is no \"{}\"", printable(step, 80)));
      }
      at = &*found;
    } else if (at->is_array()) {
      if (at->empty()) return Error(fmt::format("\"{}\": the array is empty", printable(step, 80)));
      const Result<size_t> index = array_index(step, at->size() - 1);
      if (!index) return index.error();
      at = &(*at)[*index];
    } else {
      return Error(fmt::format("\"{}\": its parent is a {}, not an object or array",
                               printable(step, 80), at->type_name()));
    }
  }
  return at;
}

}  // namespace windlass::server::patch
