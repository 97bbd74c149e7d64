#include "base/yaml_writer.h"

#include <algorithm>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/text.h"

namespace windlass {
namespace {

std::string quoted(const std::string& text) {
  return Json(text).dump(-1, ' ', false, Json::error_handler_t::replace);
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Words that some reader takes for a boolean, null, infinity or a merge of maps.
bool is_special(std::string_view text) {
  static constexpr std::string_view kWords[] = {"y",   "n",    "yes",   "no",  "on",
                                                "off", "true", "false", "null"};
  return std::ranges::any_of(kWords, [&](std::string_view word) {
    return std::ranges::equal(text, word, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
  });
}

// Only what is plainly a word or a path stays bare; everything else that starts like a number, or
// holds a mark YAML knows, goes in quotes.
std::string scalar_text(const std::string& text) {
  const auto is_word_char = [](char c) {
    return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.' || c == '/';
  };
  const bool bare = !text.empty() && (is_letter(text[0]) || text[0] == '/') &&
                    std::ranges::all_of(text, is_word_char) && !is_special(text);
  return bare ? text : quoted(text);
}

void write(const Json& value, size_t indent, std::string& out);

// What stands behind "key:" or "-": on the same line where it is a scalar or empty.
void write_behind(const Json& value, size_t indent, std::string& out) {
  if (value.is_structured() && !value.empty()) {
    out += '\n';
    write(value, indent, out);
    return;
  }
  out += ' ';
  if (value.is_string()) {
    out += scalar_text(value.get_ref<const std::string&>());
  } else {
    out += value.dump();
  }
  out += '\n';
}

void write(const Json& value, size_t indent, std::string& out) {
  const std::string margin(indent, ' ');
  if (value.is_array()) {
    for (const Json& item : value) {
      if (item.is_structured() && !item.empty()) {
        // The first line of the item stands behind the dash.
        std::string below;
        write(item, indent + 2, below);
        out += margin + "- " + below.substr(indent + 2);
      } else {
        out += margin + "-";
        write_behind(item, indent + 2, out);
      }
    }
    return;
  }
  for (const auto& [key, item] : value.items()) {
    out += margin + scalar_text(key) + ":";
    // Lists hang under their key without further indent, as kubectl prints them.
    write_behind(item, item.is_array() ? indent : indent + 2, out);
  }
}

}  // namespace

std::string to_yaml(const Json& value) {
  std::string out;
  if (value.is_structured() && !value.empty()) {
    write(value, 0, out);
  } else {
    write_behind(value, 0, out);
    out.erase(0, 1);
  }
  return out;
}

}  // namespace windlass
