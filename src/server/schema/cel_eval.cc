// Walks the tree of an expression. Names were checked by the parser; what is left to go wrong are
// types and keys that aren't there, and those are errors as values.
#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/schema/cel_tree.h"
#include "server/schema/cel_value.h"

namespace windlass::server::schema::cel {
namespace {

Value no_overload() { return Value::failed("no such overload"); }

class Evaluator {
 public:
  Evaluator(const Json& self, const Json* old_self, int64_t& budget) : budget_(budget) {
    variables_.emplace_back("self", Value::borrowed(self));
    if (old_self != nullptr) variables_.emplace_back("oldSelf", Value::borrowed(*old_self));
  }

  Value eval(const Node& node) {
    if (--budget_ < 0) return Value::failed("cost budget exceeded");
    switch (node.op) {
      case Op::kLiteral:
        return Value::borrowed(*node.literal, node.literal);
      case Op::kVariable:
        return variable(node);
      case Op::kSelect:
        return select(eval(node.children[0]), node.text);
      case Op::kIndex:
        return index(node);
      case Op::kHas:
        return has(node);
      case Op::kList:
        return list(node);
      case Op::kMap:
        return map(node);
      case Op::kNot:
        return negation(node);
      case Op::kNegate:
        return negative(node);
      case Op::kAnd:
        return logical(node, false);
      case Op::kOr:
        return logical(node, true);
      case Op::kConditional:
        return conditional(node);
      case Op::kBinary: {
        Value left = eval(node.children[0]);
        if (left.is_error()) return left;
        Value right = eval(node.children[1]);
        if (right.is_error()) return right;
        charge(left);
        charge(right);
        if (budget_ < 0) return Value::failed("cost budget exceeded");
        return charged(binary(node.text, left, right));
      }
      case Op::kCall:
        return function(node);
      case Op::kMacro:
        return macro(node);
    }
    return no_overload();
  }

 private:
  // What it costs to compare or copy a value, in steps.
  static int64_t weight_of(const Json& value) {
    if (value.is_string()) {
      return 1 + static_cast<int64_t>(value.get_ref<const std::string&>().size() / 16);
    }
    int64_t weight = 1;
    if (value.is_structured()) {
      for (const Json& inner : value) weight += weight_of(inner);
    }
    return weight;
  }
  void charge(const Value& value) {
    if (value.is_json()) budget_ -= weight_of(*value.json);
  }
  // What was made costs what it holds, or a short rule could make long texts and lists.
  Value charged(Value value) {
    charge(value);
    return value;
  }

  Value variable(const Node& node) {
    for (auto it = variables_.rbegin(); it != variables_.rend(); ++it) {
      if (it->first == node.text) return it->second;
    }
    return Value::failed("undeclared reference to '" + node.text + "'");
  }

  static Value select(Value target, const std::string& name) {
    if (target.is_error()) return target;
    if (!target.is_map()) return no_overload();
    const auto found = target.json->find(name);
    if (found == target.json->end()) return Value::failed("no such key: " + printable(name, 80));
    return Value::borrowed(*found, target.json);
  }

  Value index(const Node& node) {
    Value target = eval(node.children[0]);
    if (target.is_error()) return target;
    Value key = eval(node.children[1]);
    if (key.is_error()) return key;
    if (target.is_map() && key.text() != nullptr) return select(std::move(target), *key.text());
    if (!target.is_list() || !key.is_whole()) return no_overload();
    const auto at = key.json->get<int64_t>();
    if (at < 0 || static_cast<size_t>(at) >= target.json->size()) {
      return Value::failed(fmt::format("index out of bounds: {}", at));
    }
    return Value::borrowed((*target.json)[static_cast<size_t>(at)], target.json);
  }

  Value has(const Node& node) {
    Value target = eval(node.children[0]);
    if (target.is_error()) return target;
    if (!target.is_map()) return no_overload();
    return Value::of(target.json->contains(node.text));
  }

  Value list(const Node& node) {
    Json out = Json::array();
    for (const Node& child : node.children) {
      Value element = eval(child);
      if (element.is_error()) return element;
      if (!element.is_json()) return no_overload();
      charge(element);
      if (budget_ < 0) return Value::failed("cost budget exceeded");
      out.push_back(*element.json);
    }
    return Value::of(std::move(out));
  }

  Value map(const Node& node) {
    Json out = Json::object();
    for (size_t i = 0; i + 1 < node.children.size(); i += 2) {
      Value key = eval(node.children[i]);
      if (key.is_error()) return key;
      Value member = eval(node.children[i + 1]);
      if (member.is_error()) return member;
      if (key.text() == nullptr || !member.is_json()) return no_overload();
      charge(member);
      if (budget_ < 0) return Value::failed("cost budget exceeded");
      out[*key.text()] = *member.json;
    }
    return Value::of(std::move(out));
  }

  Value negation(const Node& node) {
    Value value = eval(node.children[0]);
    if (value.is_error()) return value;
    if (!value.is_bool()) return no_overload();
    return node.text == "twice" ? value : Value::of(!value.json->get<bool>());
  }

  Value negative(const Node& node) {
    Value value = eval(node.children[0]);
    if (value.is_error() || node.text == "twice") return value;
    return binary("-", Value::of(value.is_whole() ? Json(0) : Json(0.0)), value);
  }

  // `decides`: the operand that settles it, whatever the other is, an error included.
  Value logical(const Node& node, bool decides) {
    Value left = eval(node.children[0]);
    if (left.is_bool() && left.json->get<bool>() == decides) return left;
    Value right = eval(node.children[1]);
    if (right.is_bool() && right.json->get<bool>() == decides) return right;
    if (left.is_error()) return left;
    if (right.is_error()) return right;
    return left.is_bool() && right.is_bool() ? right : no_overload();
  }

  Value conditional(const Node& node) {
    Value condition = eval(node.children[0]);
    if (condition.is_error()) return condition;
    if (!condition.is_bool()) return no_overload();
    return eval(node.children[condition.json->get<bool>() ? 1 : 2]);
  }

  Value function(const Node& node) {
    std::vector<Value> arguments;
    for (const Node& child : node.children) {
      arguments.push_back(eval(child));
      if (arguments.back().is_error()) return arguments.back();
      if (node.text != "size") charge(arguments.back());
    }
    // A pattern may have to be compiled.
    constexpr int64_t kPatternSteps = 100;
    if (node.text == "matches" || node.text.starts_with("find")) budget_ -= kPatternSteps;
    if (budget_ < 0) return Value::failed("cost budget exceeded");
    return charged(call(node.text, arguments));
  }

  // What a macro goes through: a list's elements or a map's keys.
  static std::vector<Value> elements_of(const Value& range) {
    std::vector<Value> out;
    if (range.is_list()) {
      for (const Json& element : *range.json) out.push_back(Value::borrowed(element, range.json));
    } else {
      for (const auto& [key, member] : range.json->items()) out.push_back(Value::of(key));
    }
    return out;
  }

  Value macro(const Node& node) {
    const Value range = eval(node.children[0]);
    if (range.is_error()) return range;
    if (!range.is_list() && !range.is_map()) return no_overload();
    const std::vector<Value> elements = elements_of(range);
    budget_ -= static_cast<int64_t>(elements.size());
    variables_.emplace_back(node.variable, Value{});
    Value result = node.text == "filter" || node.text == "map" ? collected(node, elements)
                                                               : quantified(node, elements);
    variables_.pop_back();
    return result;
  }

  // all, exists, exists_one. Of the first two an element that decides outweighs errors of others.
  Value quantified(const Node& node, const std::vector<Value>& elements) {
    Value first_error;
    int64_t true_ones = 0;
    bool had_error = false;
    for (const Value& element : elements) {
      variables_.back().second = element;
      Value holds = eval(node.children[1]);
      if (budget_ < 0) return Value::failed("cost budget exceeded");
      if (!holds.is_error() && !holds.is_bool()) holds = no_overload();
      if (holds.is_error()) {
        if (node.text == "exists_one") return holds;
        if (!had_error) first_error = std::move(holds);
        had_error = true;
        continue;
      }
      const bool yes = holds.json->get<bool>();
      true_ones += yes ? 1 : 0;
      if (node.text == "all" && !yes) return Value::of(false);
      if (node.text == "exists" && yes) return Value::of(true);
    }
    if (had_error) return first_error;
    return Value::of(node.text == "exists_one" ? true_ones == 1 : node.text == "all");
  }

  // filter, map, map with a filter.
  Value collected(const Node& node, const std::vector<Value>& elements) {
    Json out = Json::array();
    const bool only_filters = node.text == "filter";
    for (const Value& element : elements) {
      variables_.back().second = element;
      if (only_filters || node.children.size() == 3) {
        Value keep = eval(node.children[1]);
        if (keep.is_error()) return keep;
        if (!keep.is_bool()) return no_overload();
        if (!keep.json->get<bool>()) continue;
      }
      Value mapped = only_filters ? element : eval(node.children.back());
      if (mapped.is_error()) return mapped;
      if (!mapped.is_json()) return no_overload();
      charge(mapped);
      if (budget_ < 0) return Value::failed("cost budget exceeded");
      out.push_back(*mapped.json);
    }
    return Value::of(std::move(out));
  }

  std::vector<std::pair<std::string, Value>> variables_;
  int64_t& budget_;
};

}  // namespace

Result<Json> evaluate(const Program& program, const Json& self, const Json* old_self,
                      int64_t& budget) {
  const Value value = Evaluator(self, old_self, budget).eval(*program.root);
  if (value.is_error()) return Error(value.error);
  if (!value.is_json()) return Error("no such overload");
  return Json(*value.json);
}

}  // namespace windlass::server::schema::cel
