// Kubernetes' strategic merge patch: a merge patch that knows which lists merge, and by which key.
//
// Directives:
//   $patch: replace | delete         in an object: this object; in a list's element: the whole
//   list,
//                                    or the element of that key
//   $deleteFromPrimitiveList/x: [..] values to take out of list x
//   $setElementOrder/x: [..]         the order of list x afterwards
//   $retainKeys: [..]                members not named are removed (deployment strategy, volumes)
#include <optional>
#include <set>
#include <string>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/patch/list_order.h"
#include "server/patch/patch.h"

namespace windlass::server::patch {
namespace {

using schema::Shape;

constexpr std::string_view kPatch = "$patch";
constexpr std::string_view kRetainKeys = "$retainKeys";
constexpr std::string_view kDeleteFrom = "$deleteFromPrimitiveList/";
constexpr std::string_view kSetOrder = "$setElementOrder/";

// How one member merges. Members that the shape doesn't know merge like those of any JSON: objects
// by member, lists as a whole.
struct Rule {
  const Shape* shape = nullptr;
  bool merge = false;
  bool replace = false;
  std::string merge_key;
};

Rule rule_of(const Shape* shape, const std::string& key) {
  if (shape == nullptr) return {};
  if (shape->kind == schema::Kind::kMap) return {shape->element, false, false, ""};
  const schema::Field* const field = shape->field(key);
  if (field == nullptr) return {};
  return {field->shape, field->patch_merge, field->patch_replace, field->patch_merge_key};
}

bool is_directive(std::string_view key) {
  return key == kPatch || key == kRetainKeys || key.starts_with(kDeleteFrom) ||
         key.starts_with(kSetOrder);
}

// A part of the patch that is taken as it stands, without members that are null or directives.
Json literal(const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& element : value) list.push_back(literal(element));
    return list;
  }
  if (!value.is_object()) return value;
  Json object = Json::object();
  for (const auto& [key, member] : value.items()) {
    if (!member.is_null() && !is_directive(key)) object[key] = literal(member);
  }
  return object;
}

// A part of the patch that meets nothing in the object: what stays when objects with a $patch are
// gone from it. None: the part itself is one.
std::optional<Json> plain(const Json& value) {
  if (value.is_array()) {
    Json list = Json::array();
    for (const Json& element : value) {
      if (std::optional<Json> kept = plain(element)) list.push_back(*std::move(kept));
    }
    return list;
  }
  if (!value.is_object()) return value;
  if (value.contains(kPatch)) return std::nullopt;
  Json object = Json::object();
  for (const auto& [key, member] : value.items()) {
    if (member.is_null() || is_directive(key)) continue;
    if (std::optional<Json> kept = plain(member)) object[key] = *std::move(kept);
  }
  return object;
}

Error unknown_directive(const Json& directive, const Json& patch) {
  const auto text = [](const Json& json) {
    return printable(json.dump(-1, ' ', false, Json::error_handler_t::replace), 160);
  };
  return Error(fmt::format("unknown patch type: {} in map: {}", text(directive), text(patch)));
}

Status merge_object(Json& object, const Json& patch, const Shape* shape);

// Lists that merge hold scalars or objects, one kind of them.
Result<bool> holds_objects(const Json& live, const Json& patch) {
  size_t objects = 0;
  for (const Json* list : {&live, &patch}) {
    for (const Json& element : *list) {
      if (element.is_array()) return Error("lists of lists are not supported");
      objects += element.is_object() ? 1 : 0;
    }
  }
  if (objects != 0 && objects != live.size() + patch.size()) {
    return Error("list element types are not identical");
  }
  return objects != 0;
}

Result<Json> merge_scalars(const Json& live, const Json& patch) {
  Json merged = Json::array();
  Identities seen;
  for (const Json* list : {&live, &patch}) {
    for (const Json& element : *list) {
      const std::string identity = *identity_of(element, "");
      if (seen.position.emplace(identity, 0).second) merged.push_back(element);
    }
  }
  return ordered(std::move(merged), patch, live, "");
}

// Carries out the $patch directives among the patch's elements: removes from `live`, and returns
// the elements left to merge. With $patch: replace these become the list.
Result<Json> take_directives(Json& live, const Json& patch, const std::string& merge_key) {
  Json rest = Json::array();
  std::set<std::string> doomed;
  bool replace = false;
  for (const Json& element : patch) {
    const auto directive = element.find(kPatch);
    if (directive == element.end()) {
      rest.push_back(element);
    } else if (*directive == "replace") {
      replace = true;
    } else if (*directive == "delete") {
      Result<std::string> identity = identity_of(element, merge_key);
      if (!identity) return identity.error();
      doomed.insert(*std::move(identity));
    } else if (*directive == "merge") {
      return Error("merging lists cannot yet be specified in the patch");
    } else {
      return unknown_directive(*directive, element);
    }
  }
  if (replace) {
    live = literal(rest);
    return Json::array();
  }
  if (doomed.empty()) return rest;
  Json kept = Json::array();
  for (Json& item : live) {
    const Result<std::string> identity = identity_of(item, merge_key);
    if (!identity) return identity.error();
    if (!doomed.contains(*identity)) kept.push_back(std::move(item));
  }
  live = std::move(kept);
  return rest;
}

Result<Json> merge_objects(Json live, const Json& patch, const Rule& rule) {
  if (rule.merge_key.empty()) return Error("cannot merge lists without a merge key");
  const Result<Json> changes = take_directives(live, patch, rule.merge_key);
  if (!changes) return changes.error();
  const Shape* const element_shape = rule.shape == nullptr ? nullptr : rule.shape->element;
  Result<Identities> places = identities_of(live, rule.merge_key);
  if (!places) return places.error();
  Json merged = live;
  for (const Json& change : *changes) {
    const Result<std::string> identity = identity_of(change, rule.merge_key);
    if (!identity) return identity.error();
    const auto [at, is_new] = places->position.emplace(*identity, merged.size());
    if (is_new) {
      merged.push_back(literal(change));
      continue;
    }
    const Status done = merge_object(merged[at->second], change, element_shape);
    if (!done) return done.error().in(fmt::format("[{}]", printable(*identity, 80)));
  }
  return ordered(std::move(merged), *changes, live, rule.merge_key);
}

Result<Json> merge_list(const Json& live, const Json& patch, const Rule& rule) {
  if (!rule.merge) return literal(patch);
  const Result<bool> objects = holds_objects(live, patch);
  if (!objects) return objects.error();
  return *objects ? merge_objects(live, patch, rule) : merge_scalars(live, patch);
}

Json without(const Json& live, const Json& doomed) {
  const Result<Identities> gone = identities_of(doomed, "");
  Json kept = Json::array();
  for (const Json& element : live) {
    if (!gone->has(*identity_of(element, ""))) kept.push_back(element);
  }
  return kept;
}

Status retain_keys(Json& object, const Json& patch) {
  const auto directive = patch.find(kRetainKeys);
  if (directive == patch.end()) return {};
  const Error malformed("invalid patch format of retainKeys");
  if (!directive->is_array()) return malformed;
  std::set<std::string> keys;
  for (const Json& key : *directive) {
    if (key.is_string()) keys.insert(key.get<std::string>());
  }
  const auto retained = [&](const std::string& key) { return keys.contains(key); };
  for (const auto& [key, value] : patch.items()) {
    if (!value.is_null() && !is_directive(key) && !retained(key)) return malformed;
  }
  for (auto member = object.begin(); member != object.end();) {
    member = retained(member.key()) ? std::next(member) : object.erase(member);
  }
  return {};
}

// The patch's elements must stand in the order they are to have: the list was made wrong otherwise.
Status agrees_with_order(const Json& patch, const Json& order, const std::string& merge_key) {
  if (patch.empty() || order.empty()) return {};
  size_t at = 0;
  for (const Json& element : patch) {
    if (element.is_object() && element.contains(kPatch)) continue;
    const Result<std::string> identity = identity_of(element, merge_key);
    if (!identity) return identity.error();
    for (;; ++at) {
      if (at == order.size()) {
        return Error("the order in the patch's list doesn't match its $setElementOrder list");
      }
      const Result<std::string> next = identity_of(order[at], merge_key);
      if (!next) return next.error();
      if (*next == *identity) break;
    }
    ++at;
  }
  return {};
}

// $setElementOrder/KEY together with the list KEY of the patch, if it has one.
Status merge_in_order(Json& object, const std::string& key, const Json& patch, const Json& order,
                      const Rule& rule) {
  const auto change = patch.find(key);
  const bool changes = change != patch.end();
  if (!order.is_array() || (changes && !change->is_array() && !change->is_null())) {
    return Error("invalid patch format of setElementOrder list");
  }
  if (changes && change->is_null()) return {};  // the null deletes it later on
  auto live = object.find(key);
  const bool lives = live != object.end() && live->is_array();
  if (!changes && !lives) return {};
  if (changes) {
    const Status agrees = agrees_with_order(*change, order, rule.merge_key);
    if (!agrees) return agrees;
  }
  const Json before = lives ? *live : Json::array();
  Result<Json> merged = !changes ? Result<Json>(before)
                        : lives  ? merge_list(before, *change, rule)
                                 : Result<Json>(*plain(*change));
  if (!merged) return merged.error();
  const Result<bool> objects = holds_objects(*merged, order);
  if (!objects) return objects.error();
  if (*objects && rule.merge_key.empty()) return Error("cannot order a list without a merge key");
  Result<Json> sorted =
      ordered(*std::move(merged), order, before, *objects ? rule.merge_key : std::string());
  if (!sorted) return sorted.error();
  object[key] = *std::move(sorted);
  return {};
}

Status merge_member(Json& object, const std::string& key, const Json& change, const Rule& rule) {
  if (change.is_null()) {
    object.erase(key);
    return {};
  }
  const auto live = object.find(key);
  const bool both_objects = live != object.end() && live->is_object() && change.is_object();
  if (both_objects && !rule.replace) return merge_object(*live, change, rule.shape);
  if (both_objects) {
    *live = literal(change);
    return {};
  }
  if (live != object.end() && live->is_array() && change.is_array()) {
    Result<Json> merged = merge_list(*live, change, rule);
    if (!merged) return merged.error();
    *live = *std::move(merged);
    return {};
  }
  if (std::optional<Json> value = plain(change)) {
    object[key] = *std::move(value);
  } else {
    object.erase(key);
  }
  return {};
}

// The member that a directive such as "$setElementOrder/ports" is about, or empty.
std::string subject(std::string_view key, std::string_view directive) {
  return std::string(key.starts_with(directive) ? key.substr(directive.size()) : "");
}

Status merge_object(Json& object, const Json& patch, const Shape* shape) {
  if (const auto directive = patch.find(kPatch); directive != patch.end()) {
    if (*directive == "delete") {
      object = Json::object();
    } else if (*directive == "replace") {
      object = literal(patch);
    } else {
      return unknown_directive(*directive, patch);
    }
    return {};
  }
  if (const Status kept = retain_keys(object, patch); !kept) return kept;
  for (const auto& [key, value] : patch.items()) {
    const std::string list = subject(key, kSetOrder);
    if (list.empty()) continue;
    const Status done = merge_in_order(object, list, patch, value, rule_of(shape, list));
    if (!done) return done.error().in(printable(list, 80));
  }
  for (const auto& [key, value] : patch.items()) {
    if (const std::string list = subject(key, kDeleteFrom); !list.empty()) {
      if (!value.is_array()) return Error("invalid patch format of primitive list").in(list);
      const auto live = object.find(list);
      if (live != object.end() && live->is_array()) *live = without(*live, value);
      continue;
    }
    const bool in_order = patch.contains(std::string(kSetOrder) + key) && !value.is_null();
    if (is_directive(key) || in_order) continue;
    const Status done = merge_member(object, key, value, rule_of(shape, key));
    if (!done) return done.error().in(printable(key, 80));
  }
  return {};
}

}  // namespace

Result<Json> strategic_merge_patch(Json object, const Json& patch, const Shape& shape) {
  if (!patch.is_object()) return Error("a strategic merge patch is an object");
  if (!object.is_object()) object = Json::object();
  const Status done = merge_object(object, patch, &shape);
  if (!done) return done.error();
  return object;
}

}  // namespace windlass::server::patch
