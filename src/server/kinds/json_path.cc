#include "server/kinds/json_path.h"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"

namespace windlass::server::kinds {

// Reads one path from left to right. Filters nest no further: inside one, only a plain path stands.
class JsonPath::Parser {
 public:
  explicit Parser(std::string_view text) : rest_(text) {}

  Result<std::vector<Step>> steps(bool in_filter) {
    std::vector<Step> all;
    while (!rest_.empty()) {
      if (in_filter && std::string_view(" =!<>)").find(rest_[0]) != std::string_view::npos) break;
      Result<Step> step = rest_[0] == '.'   ? member()
                          : rest_[0] == '[' ? bracket(in_filter)
                                            : Result<Step>(fault());
      if (!step.ok()) return step.error();
      if (step->kind != Kind::kMember || !step->name.empty()) all.push_back(std::move(*step));
    }
    return all;
  }

 private:
  Error fault() const {
    return Error("not a JSONPath Windlass reads, at \"" + std::string(rest_) + "\"");
  }

  bool take(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    rest_.remove_prefix(word.size());
    return true;
  }

  void skip_spaces() {
    while (take(" ")) {
    }
  }

  // ".name", where a backslash takes the meaning from the next character; "." alone is the root.
  Result<Step> member() {
    take(".");
    if (take("*")) return Step{Kind::kEach};
    if (rest_.starts_with('.')) return fault();  // recursive descent
    Step step;
    while (!rest_.empty() &&
           std::string_view(".[ =!<>)").find(rest_[0]) == std::string_view::npos) {
      if (rest_[0] == '\\') rest_.remove_prefix(1);
      if (rest_.empty()) return fault();
      step.name += rest_[0];
      rest_.remove_prefix(1);
    }
    return step;
  }

  Result<Step> bracket(bool in_filter) {
    take("[");
    if (take("*]")) return Step{Kind::kEach};
    if (rest_.starts_with("?(")) return in_filter ? Result<Step>(fault()) : filter();
    if (rest_.starts_with('\'') || rest_.starts_with('"')) {
      Result<std::string> name = quoted();
      if (!name.ok()) return name.error();
      if (!take("]")) return fault();
      Step step;
      step.name = std::move(*name);
      return step;
    }
    return index_or_slice();
  }

  Result<Step> index_or_slice() {
    const size_t end = rest_.find(']');
    if (end == std::string_view::npos) return fault();
    const std::string_view inside = rest_.substr(0, end);
    const size_t colon = inside.find(':');
    Step step{colon == std::string_view::npos ? Kind::kIndex : Kind::kSlice};
    const std::string_view from = trim(inside.substr(0, std::min(colon, inside.size())));
    const std::string_view to =
        colon == std::string_view::npos ? std::string_view() : trim(inside.substr(colon + 1));
    for (const auto& [digits, into] : {std::pair{from, &step.from}, std::pair{to, &step.to}}) {
      if (digits.empty() && step.kind == Kind::kSlice) continue;
      if (digits.empty() && into == &step.to) continue;
      const Result<int64_t> number = parse_int(digits);
      if (!number.ok()) return fault();
      *into = *number;
    }
    rest_.remove_prefix(end + 1);
    return step;
  }

  Result<std::string> quoted() {
    const char quote = rest_[0];
    rest_.remove_prefix(1);
    std::string text;
    while (!rest_.empty() && rest_[0] != quote) {
      if (rest_[0] == '\\' && rest_.size() > 1) rest_.remove_prefix(1);
      text += rest_[0];
      rest_.remove_prefix(1);
    }
    if (rest_.empty()) return fault();
    rest_.remove_prefix(1);
    return text;
  }

  Result<Step> filter() {
    take("?(");
    skip_spaces();
    if (!take("@")) return fault();
    Step step{Kind::kFilter};
    Result<std::vector<Step>> below = steps(true);
    if (!below.ok()) return below.error();
    step.below = std::move(*below);
    skip_spaces();
    constexpr std::pair<std::string_view, Compare> kOperators[] = {
        {"==", Compare::kEqual},        {"!=", Compare::kNotEqual}, {"<=", Compare::kLessEqual},
        {">=", Compare::kGreaterEqual}, {"<", Compare::kLess},      {">", Compare::kGreater}};
    for (const auto& [word, compare] : kOperators) {
      if (!take(word)) continue;
      step.compare = compare;
      break;
    }
    if (step.compare != Compare::kExists) {
      skip_spaces();
      Result<Json> value = literal();
      if (!value.ok()) return value.error();
      step.literal = std::make_shared<const Json>(std::move(*value));
      skip_spaces();
    }
    if (!take(")]")) return fault();
    return step;
  }

  Result<Json> literal() {
    if (rest_.starts_with('\'') || rest_.starts_with('"')) {
      Result<std::string> text = quoted();
      if (!text.ok()) return text.error();
      return Json(std::move(*text));
    }
    const std::string_view word = rest_.substr(0, rest_.find_first_of(" )"));
    rest_.remove_prefix(word.size());
    if (word == "true" || word == "false") return Json(word == "true");
    if (const Result<int64_t> number = parse_int(word); number.ok()) return Json(*number);
    if (const Result<double> number = parse_double(word); number.ok()) return Json(*number);
    return fault();
  }

  std::string_view rest_;
};

Result<JsonPath> JsonPath::parse(std::string_view text) {
  text = trim(text);
  if (text.starts_with('{') && text.ends_with('}')) text = text.substr(1, text.size() - 2);
  if (text.starts_with('$')) text.remove_prefix(1);
  if (text.empty()) return Error("an empty JSONPath");
  Result<std::vector<Step>> steps = Parser(text).steps(false);
  if (!steps.ok()) return steps.error();
  JsonPath path;
  path.steps_ = std::move(*steps);
  return path;
}

bool JsonPath::holds(const Step& step, const Json& element) {
  const std::vector<const Json*> found = walk(step.below, element);
  if (step.compare == Compare::kExists) return !found.empty();
  if (found.empty()) return false;
  const Json& left = *found.front();
  const Json& right = *step.literal;
  // Values of different types compare as nothing but unequal.
  const bool comparable = (left.is_number() && right.is_number()) || left.type() == right.type();
  if (!comparable) return step.compare == Compare::kNotEqual;
  switch (step.compare) {
    case Compare::kEqual:
      return left == right;
    case Compare::kNotEqual:
      return left != right;
    case Compare::kLess:
      return left < right;
    case Compare::kLessEqual:
      return left <= right;
    case Compare::kGreater:
      return left > right;
    case Compare::kGreaterEqual:
      return left >= right;
    case Compare::kExists:
      break;
  }
  return true;
}

void JsonPath::take(const Step& step, const Json& value, std::vector<const Json*>& out) {
  if (step.kind == Kind::kMember) {
    if (value.is_object() && value.contains(step.name)) out.push_back(&value.at(step.name));
    return;
  }
  if (step.kind == Kind::kEach && value.is_object()) {
    for (const Json& one : value) out.push_back(&one);
  }
  if (!value.is_array()) return;
  const int64_t size = static_cast<int64_t>(value.size());
  const int64_t from = step.from < 0 ? step.from + size : step.from;
  if (step.kind == Kind::kIndex) {
    if (from >= 0 && from < size) out.push_back(&value[static_cast<size_t>(from)]);
    return;
  }
  const int64_t to = step.to < 0 ? step.to + size : std::min(step.to, size);
  int64_t at = -1;
  for (const Json& one : value) {
    ++at;
    if (step.kind == Kind::kSlice && (at < from || at >= to)) continue;
    if (step.kind == Kind::kFilter && !holds(step, one)) continue;
    out.push_back(&one);
  }
}

std::vector<const Json*> JsonPath::walk(const std::vector<Step>& steps, const Json& root) {
  std::vector<const Json*> here{&root};
  for (const Step& step : steps) {
    std::vector<const Json*> next;
    for (const Json* value : here) take(step, *value, next);
    here = std::move(next);
  }
  return here;
}

std::vector<const Json*> JsonPath::find(const Json& root) const { return walk(steps_, root); }

}  // namespace windlass::server::kinds
