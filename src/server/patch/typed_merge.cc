#include "server/patch/typed_merge.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/patch/typed_fields.h"

namespace windlass::server::patch {
namespace {

using schema::Kind;
using schema::ListType;
using schema::Shape;

Error at(const std::string& path, const std::string& what) {
  return Error(fmt::format("{}: {}", path.empty() ? "." : printable(path, 300), what));
}

Status check(const Json& config, const Shape* shape, const std::string& path);

Status check_members(const Json& config, const Shape* shape, const std::string& path) {
  for (const auto& [key, value] : config.items()) {
    const Status good = check(value, member_of(shape, key).shape, path + "." + key);
    if (!good) return good;
  }
  return {};
}

Status check_items(const Json& config, const Shape& shape, const std::string& path) {
  std::set<std::string> seen;
  for (size_t i = 0; i < config.size(); ++i) {
    const Result<std::string> step = item_step(shape, config[i]);
    if (!step) return at(path, fmt::format("element {}: {}", i, step.error().message()));
    FieldSet one;
    one.children[*step].member = true;
    const std::string spelled = paths_of(one).front();
    if (!seen.insert(*step).second) {
      return at(path, fmt::format("duplicate entries for key {}", printable(spelled, 160)));
    }
    const Status good = check(config[i], shape.element, path + spelled);
    if (!good) return good;
  }
  return {};
}

Status check(const Json& config, const Shape* shape, const std::string& path) {
  const bool null = config.is_null();
  if (shape != nullptr && !null) {
    const bool map = shape->kind == Kind::kObject || shape->kind == Kind::kMap;
    if (map && !config.is_object()) {
      return at(path, fmt::format("expected map, got {}", config.type_name()));
    }
    if (shape->kind == Kind::kList && !config.is_array()) {
      return at(path, fmt::format("expected list, got {}", config.type_name()));
    }
  }
  switch (form_of(shape, config)) {
    case Form::kMembers:
      return null ? Status() : check_members(config, shape, path);
    case Form::kItems:
      return null ? Status() : check_items(config, *shape, path);
    default:
      return {};
  }
}

struct Item {
  std::string step;  // empty: none, the item keeps its place
  const Json* value;
};

std::vector<Item> items_of(const Json& list, const Shape& shape) {
  std::vector<Item> items;
  for (const Json& item : list) {
    const Result<std::string> step = item_step(shape, item);
    items.push_back({step ? *step : std::string(), &item});
  }
  return items;
}

// The live item that each step means; none where two have the same step, since then neither is
// meant.
std::map<std::string, const Json*> unique_items(const std::vector<Item>& items) {
  std::map<std::string, const Json*> unique;
  for (const Item& item : items) {
    const auto [at, is_new] = unique.emplace(item.step, item.value);
    if (!is_new) at->second = nullptr;
  }
  return unique;
}

Json merge_items(const Json& live, const Json& config, const Shape& shape) {
  const std::vector<Item> old = items_of(live, shape);
  const std::vector<Item> wanted = items_of(config, shape);
  const auto old_values = unique_items(old);
  std::map<std::string, size_t> wanted_at;
  for (size_t i = 0; i < wanted.size(); ++i) wanted_at.emplace(wanted[i].step, i);

  Json merged = Json::array();
  size_t next = 0;  // of `wanted`
  const auto take_until = [&](size_t end) {
    for (; next < end; ++next) {
      const auto old_value = old_values.find(wanted[next].step);
      const bool both = old_value != old_values.end() && old_value->second != nullptr;
      merged.push_back(both ? merge_config(*old_value->second, *wanted[next].value, shape.element)
                            : *wanted[next].value);
    }
  };
  // The first wanted item, from `next` on, that is live too: its place in `live` is the place up to
  // which wanted items are put in.
  size_t shared = 0;
  const auto next_shared = [&] {
    shared = std::max(shared, next);
    while (shared < wanted.size() && !old_values.contains(wanted[shared].step)) ++shared;
    return shared;
  };
  for (const Item& item : old) {
    const auto place = item.step.empty() ? wanted_at.end() : wanted_at.find(item.step);
    if (place == wanted_at.end()) {
      merged.push_back(*item.value);
    } else if (place->second == next_shared()) {
      take_until(place->second + 1);
    }  // else: it stands elsewhere in the wanted order
  }
  take_until(wanted.size());
  return merged;
}

Json merge_members(const Json& live, const Json& config, const Shape* shape) {
  Json merged = live;
  for (const auto& [key, value] : config.items()) {
    const auto old = merged.find(key);
    if (old == merged.end()) {
      merged[key] = value;
    } else {
      *old = merge_config(*old, value, member_of(shape, key).shape);
    }
  }
  return merged;
}

// What is left of a value, and whether that is nothing. Members that went because they were left
// empty count as still there, so that emptiness doesn't travel upwards.
struct Rest {
  Json value;
  bool nothing = false;
};
Rest remove_from(Json value, const FieldSet& doomed, const Shape* shape, Emptied emptied);

Rest remove_items(Json list, const FieldSet& doomed, const Shape& shape, Emptied emptied) {
  Json kept = Json::array();
  for (Json& item : list) {
    const Result<std::string> step = item_step(shape, item);
    const FieldSet* const below = step ? doomed.at(*step) : nullptr;
    if (below == nullptr) {
      kept.push_back(std::move(item));
    } else if (!below->member) {
      kept.push_back(remove_from(std::move(item), *below, shape.element, emptied).value);
    }
  }
  const bool nothing = kept.empty();
  return {std::move(kept), nothing};
}

Rest remove_members(Json object, const FieldSet& doomed, const Shape* shape, Emptied emptied) {
  size_t left_empty = 0;
  for (const auto& [step, below] : doomed.children) {
    if (!step.starts_with("f:")) continue;
    const std::string key = step.substr(2);
    const auto found = object.find(key);
    if (found == object.end()) continue;
    if (below.member) {
      object.erase(found);
      continue;
    }
    Rest rest = remove_from(std::move(*found), below, member_of(shape, key).shape, emptied);
    *found = std::move(rest.value);
    if (!rest.nothing) continue;
    ++left_empty;
    if (emptied == Emptied::kNull) {
      *found = nullptr;
    } else {
      object.erase(found);
    }
  }
  const bool nothing = object.empty() && left_empty == 0;
  return {std::move(object), nothing};
}

Rest remove_from(Json value, const FieldSet& doomed, const Shape* shape, Emptied emptied) {
  const Form form = form_of(shape, value);
  if (form == Form::kItems && value.is_array()) {
    return remove_items(std::move(value), doomed, *shape, emptied);
  }
  if (form == Form::kMembers && value.is_object()) {
    return remove_members(std::move(value), doomed, shape, emptied);
  }
  return {std::move(value), false};
}

}  // namespace

Status check_config(const Json& config, const Shape* shape) { return check(config, shape, ""); }

Json merge_config(const Json& live, const Json& config, const Shape* shape) {
  const Form form = form_of(shape, config);
  if (form == Form::kMembers && live.is_object()) {
    if (config.is_null()) return live.empty() ? config : live;
    return merge_members(live, config, shape);
  }
  if (form == Form::kItems && live.is_array() && !live.empty()) {
    if (config.is_null()) return live;
    return merge_items(live, config, *shape);
  }
  return config;
}

Json remove_fields(Json object, const FieldSet& doomed, const Shape* shape, Emptied emptied) {
  return remove_from(std::move(object), doomed, shape, emptied).value;
}

Json drop_nulls(Json object, const Shape* shape) {
  if (shape == nullptr || shape->kind == Kind::kAny) return object;
  if (object.is_array()) {
    for (Json& item : object) item = drop_nulls(std::move(item), shape->element);
  }
  if (!object.is_object()) return object;
  for (auto member = object.begin(); member != object.end();) {
    const Shape* const below = member_of(shape, member.key()).shape;
    if (member->is_null() && below != nullptr && below->kind != Kind::kAny && !below->nullable) {
      member = object.erase(member);
      continue;
    }
    *member = drop_nulls(std::move(*member), below);
    ++member;
  }
  return object;
}

}  // namespace windlass::server::patch
