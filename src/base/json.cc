#include "base/json.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"

namespace windlass {
namespace {

constexpr int kMaxDepth = 256;

// Where the text nests too deeply, or npos. The library reads without recursion, but whoever walks
// the value afterwards may recurse.
size_t too_deep_at(std::string_view text) {
  int depth = 0;
  bool in_string = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string) {
      if (c == '\\') ++i;
      if (c == '"') in_string = false;
    } else if (c == '"') {
      in_string = true;
    } else if (c == '{' || c == '[') {
      if (++depth > kMaxDepth) return i;
    } else if (c == '}' || c == ']') {
      --depth;
    }
  }
  return std::string_view::npos;
}

// The library's message without its own prefix and position, and without what it read last, which
// may be somebody's password.
std::string plain_message(std::string_view what) {
  if (const size_t at = what.find("] "); at != std::string_view::npos) what.remove_prefix(at + 2);
  if (const size_t at = what.find("column "); at != std::string_view::npos) {
    if (const size_t colon = what.find(": ", at); colon != std::string_view::npos) {
      what.remove_prefix(colon + 2);
    }
  }
  return printable(what.substr(0, what.find("; last read: ")), 160);
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (const size_t at = too_deep_at(text); at != std::string_view::npos) {
    return Error(fmt::format("{}: nested more than {} deep", place_of(text, at), kMaxDepth));
  }
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const size_t at = e.byte == 0 ? 0 : e.byte - 1;
    return Error(fmt::format("{}: {}", place_of(text, at), plain_message(e.what())));
  } catch (const Json::exception& e) {  // a number beyond the range of a double
    return Error(plain_message(e.what()));
  }
}

}  // namespace windlass
