#include "base/yaml.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "base/yaml_scalar.h"

namespace windlass {
namespace {

// What aliases may add to a document beyond its own text; manifests use them for a few labels.
constexpr int64_t kMaxAliasBytes = 4 << 20;
constexpr int64_t kNodeBytes = 32;

[[noreturn]] void fail(const YamlNode& node, std::string text) {
  throw YamlProblem{node.line, node.column, std::move(text)};
}

const YamlNode& target_of(const YamlNode& node) {
  return node.kind == YamlNode::Kind::kAlias ? *node.items.front() : node;
}

Json scalar_value(const YamlNode& node) {
  auto scalar = resolve_yaml_scalar(node.text, node.tag);
  if (!scalar.ok()) fail(node, scalar.error().message());
  return std::visit([](auto&& value) { return Json(std::forward<decltype(value)>(value)); },
                    std::move(*scalar));
}

// Kubernetes spells keys that are numbers or booleans as JSON would.
std::string key_text(const YamlNode& written) {
  const YamlNode& node = target_of(written);
  if (node.kind == YamlNode::Kind::kNull) fail(written, "a key that is null (accepted: a string)");
  if (node.kind != YamlNode::Kind::kScalar) {
    fail(written, "a key that is no text (accepted: a string, number or boolean)");
  }
  if (node.tag == "!") return node.text;
  const Json value = scalar_value(node);
  if (value.is_null()) fail(written, "a key that is null (accepted: a string)");
  return value.is_string() ? value.get<std::string>() : value.dump();
}

bool is_merge_key(const YamlNode& key) {
  return key.kind == YamlNode::Kind::kScalar && key.tag == "?" && key.text == "<<";
}

// Turns a tree into JSON, with a budget for what aliases repeat ("billion laughs").
class Converter {
 public:
  Json convert(const YamlNode& node, int depth, bool repeated) {
    if (depth > kMaxYamlDepth) fail(node, fmt::format("nested more than {} deep", kMaxYamlDepth));
    if (repeated) {
      alias_bytes_ += kNodeBytes + static_cast<int64_t>(node.text.size());
      if (alias_bytes_ > kMaxAliasBytes) {
        fail(node, fmt::format("aliases repeat more than {} MiB", kMaxAliasBytes >> 20));
      }
    }
    switch (node.kind) {
      case YamlNode::Kind::kNull:
        return nullptr;
      case YamlNode::Kind::kScalar:
        return scalar_value(node);
      case YamlNode::Kind::kAlias:
        return convert(*node.items.front(), depth + 1, true);
      case YamlNode::Kind::kMap:
        return map_value(node, depth, repeated);
      case YamlNode::Kind::kList:
        break;
    }
    Json list = Json::array();
    for (const YamlNode* item : node.items) list.push_back(convert(*item, depth + 1, repeated));
    return list;
  }

 private:
  Json map_value(const YamlNode& node, int depth, bool repeated) {
    Json out = Json::object();
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      if (is_merge_key(*node.items[i])) continue;
      std::string key = key_text(*node.items[i]);
      if (repeated) alias_bytes_ += static_cast<int64_t>(key.size());
      if (out.contains(key)) {
        fail(*node.items[i], fmt::format("the key \"{}\" is there twice", printable(key, 64)));
      }
      out.emplace(std::move(key), convert(*node.items[i + 1], depth + 1, repeated));
    }
    for (size_t i = 0; i + 1 < node.items.size(); i += 2) {
      if (is_merge_key(*node.items[i])) merge(out, *node.items[i + 1], depth, repeated);
    }
    return out;
  }

  // `<<`: the fields of a map, or of a list of maps, that are not there yet.
  void merge(Json& into, const YamlNode& value, int depth, bool repeated) {
    const YamlNode& source = target_of(value);
    const bool again = repeated || value.kind == YamlNode::Kind::kAlias;
    if (source.kind == YamlNode::Kind::kMap) {
      Json fields = convert(source, depth + 1, again);
      for (auto& [key, field] : fields.items()) {
        if (!into.contains(key)) into.emplace(key, std::move(field));
      }
      return;
    }
    if (source.kind != YamlNode::Kind::kList) fail(value, "<< takes a map or a list of maps");
    for (const YamlNode* item : source.items) {
      if (target_of(*item).kind != YamlNode::Kind::kMap) fail(*item, "<< takes maps");
      merge(into, *item, depth + 1, again);
    }
  }

  int64_t alias_bytes_ = 0;
};

// The library ends its input at a control character, so they must not come through. YAML allows
// only tabs and line breaks.
std::optional<YamlProblem> bad_byte(std::string_view text) {
  const auto problem = [&](size_t at, std::string what) {
    const std::string_view before = text.substr(0, at);
    const auto line = std::count(before.begin(), before.end(), '\n') + 1;
    const size_t newline = before.rfind('\n');
    const size_t column = newline == std::string_view::npos ? at : at - newline - 1;
    return YamlProblem{static_cast<int>(line), static_cast<int>(column) + 1, std::move(what)};
  };
  if (const size_t at = invalid_utf8_at(text); at != std::string_view::npos) {
    return problem(at, "not UTF-8");
  }
  const auto control = std::find_if(text.begin(), text.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
  });
  if (control == text.end()) return std::nullopt;
  return problem(static_cast<size_t>(control - text.begin()),
                 fmt::format("a control character 0x{:02x}", static_cast<unsigned char>(*control)));
}

// Whether the line that starts at `at` is the document mark `mark`, whatever stands behind it.
bool is_mark(std::string_view text, size_t at, std::string_view mark) {
  const std::string_view rest = text.substr(at, mark.size() + 1);
  return rest.starts_with(mark) && (rest.size() == mark.size() || rest.back() == ' ' ||
                                    rest.back() == '\t' || rest.back() == '\n');
}

// The value at `path` below `node`, or nullptr; `nearest` is the innermost one found on the way.
// A key may hold dots, so every cut of the path is tried, shortest key first.
const YamlNode* find_value(const YamlNode& written, std::string_view path, const YamlNode*& nearest,
                           int depth);

const YamlNode* find_field(const YamlNode& map, std::string_view key, std::string_view rest,
                           const YamlNode*& nearest, int depth) {
  for (size_t i = 0; i + 1 < map.items.size(); i += 2) {
    const YamlNode& name = target_of(*map.items[i]);
    if (name.kind != YamlNode::Kind::kScalar || name.text != key) continue;
    // A collection is said to stand where its key does: its own mark may be a line further down.
    const YamlNode* place = map.items[i];
    nearest = place;
    if (rest.empty()) return place;
    return find_value(*map.items[i + 1], rest, nearest, depth + 1);
  }
  return nullptr;
}

const YamlNode* find_value(const YamlNode& written, std::string_view path, const YamlNode*& nearest,
                           int depth) {
  const YamlNode& node = target_of(written);
  if (path.empty()) return &written;
  if (depth > kMaxYamlDepth) return nullptr;
  if (path[0] == '[') {
    const size_t close = path.find(']');
    if (close == std::string_view::npos) return nullptr;
    const std::string_view inside = path.substr(1, close - 1);
    const std::string_view rest = path.substr(close + 1);
    if (node.kind == YamlNode::Kind::kMap) return find_field(node, inside, rest, nearest, depth);
    const auto index = parse_int(inside);
    if (node.kind != YamlNode::Kind::kList || !index.ok() || *index < 0) return nullptr;
    if (*index >= static_cast<int64_t>(node.items.size())) return nullptr;
    const YamlNode* item = node.items[static_cast<size_t>(*index)];
    nearest = item;
    return find_value(*item, rest, nearest, depth + 1);
  }
  if (path[0] == '.') path.remove_prefix(1);
  if (node.kind != YamlNode::Kind::kMap) return nullptr;
  for (size_t cut = 0; cut <= path.size(); ++cut) {
    if (cut < path.size() && path[cut] != '.' && path[cut] != '[') continue;
    const auto* found = find_field(node, path.substr(0, cut), path.substr(cut), nearest, depth);
    if (found != nullptr) return found;
  }
  return nullptr;
}

}  // namespace

YamlStream::YamlStream(std::string_view text) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  if (text.starts_with(kByteOrderMark)) text.remove_prefix(kByteOrderMark.size());
  if (auto problem = bad_byte(text)) {
    problems_.push_back(*std::move(problem));
    return;
  }
  std::string unix_breaks;
  if (text.find('\r') != std::string_view::npos) {
    // A line break is one character to YAML, however it is written.
    unix_breaks.reserve(text.size());
    for (size_t i = 0; i < text.size(); ++i) {
      if (text[i] != '\r') {
        unix_breaks += text[i];
      } else if (i + 1 == text.size() || text[i + 1] != '\n') {
        unix_breaks += '\n';
      }
    }
    text = unix_breaks;
  }
  // Each part from one separator to the next is read by itself: the next separator is where
  // reading can go on after an error.
  size_t from = 0;
  int from_line = 1;
  int line = 1;
  for (size_t at = text.find('\n'); at != std::string_view::npos; at = text.find('\n', at + 1)) {
    ++line;
    const bool end = is_mark(text, at + 1, "...");
    if (!end && !is_mark(text, at + 1, "---")) continue;
    read_part(text.substr(from, at + 1 - from), from_line);
    from = end ? at + 4 : at + 1;
    from_line = line;
  }
  read_part(text.substr(from), from_line);
  read_as_json(text);
}

// JSON is YAML but for a few corners (tabs between values, surrogate pairs in escapes): what the
// YAML library refuses may still be JSON.
void YamlStream::read_as_json(std::string_view text) {
  const size_t start = text.find_first_not_of(" \t\n");
  if (!syntax_error_ || text[start] != '{') return;
  auto value = parse_json(text);
  if (!value.ok()) return;
  const auto line = std::count(text.begin(), text.begin() + static_cast<int64_t>(start), '\n') + 1;
  documents_ = {{std::make_shared<const Json>(*std::move(value)), static_cast<int>(line)}};
  roots_ = {nullptr};
  problems_.clear();
}

void YamlStream::read_part(std::string_view part, int first_line) {
  if (part.find_first_not_of(" \n-") == std::string_view::npos) return;
  auto tree = std::make_unique<YamlTree>(read_yaml_tree(part, first_line));
  if (tree->problem) {
    syntax_error_ = true;
    problems_.push_back(*tree->problem);
    return;
  }
  if (tree->root == nullptr) return;
  try {
    Json value = Converter().convert(*tree->root, 0, false);
    if (value.is_null()) return;
    documents_.push_back({std::make_shared<const Json>(std::move(value)), tree->root->line});
    roots_.push_back(tree->root);
  } catch (const YamlProblem& e) {
    problems_.push_back(e);
    return;
  }
  trees_.push_back(std::move(tree));
}

int YamlStream::line_of(size_t document, std::string_view path) const {
  if (document >= roots_.size() || roots_[document] == nullptr) return 0;
  const YamlNode* nearest = roots_[document];
  const YamlNode* found = find_value(*nearest, path, nearest, 0);
  return found == nullptr ? 0 : found->line;
}

int YamlStream::nearest_line(size_t document, std::string_view path) const {
  if (document >= roots_.size()) return 0;
  if (roots_[document] == nullptr) return documents_[document].line;
  const YamlNode* nearest = roots_[document];
  const YamlNode* found = find_value(*nearest, path, nearest, 0);
  return found == nullptr ? nearest->line : found->line;
}

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text) {
  const YamlStream stream(text);
  if (!stream.problems().empty()) {
    const YamlProblem& first = stream.problems().front();
    return Error(fmt::format("line {}, column {}: {}", first.line, first.column, first.text));
  }
  return stream.documents();
}

int yaml_line_of(std::string_view text, size_t document_index, std::string_view path) {
  return YamlStream(text).line_of(document_index, path);
}

}  // namespace windlass
