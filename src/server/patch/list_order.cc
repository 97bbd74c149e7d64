#include "server/patch/list_order.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/patch/field_set.h"

namespace windlass::server::patch {
namespace {

struct Placed {
  std::string identity;
  size_t place = 0;
  Json element;
};

void sort_by_place(std::vector<Placed>& items) {
  std::stable_sort(items.begin(), items.end(),
                   [](const Placed& a, const Placed& b) { return a.place < b.place; });
}

}  // namespace

Result<std::string> identity_of(const Json& element, const std::string& merge_key) {
  if (merge_key.empty()) return canonical_text(element);
  if (!element.is_object()) {
    return Error(fmt::format("expected an object with \"{}\", but received a {}", merge_key,
                             element.type_name()));
  }
  const auto found = element.find(merge_key);
  if (found == element.end()) {
    const std::string text = element.dump(-1, ' ', false, Json::error_handler_t::replace);
    return Error(fmt::format("map: {} does not contain declared merge key: {}",
                             printable(text, 160), merge_key));
  }
  return canonical_text(*found);
}

Result<Identities> identities_of(const Json& list, const std::string& merge_key) {
  Identities identities;
  for (size_t i = 0; i < list.size(); ++i) {
    Result<std::string> identity = identity_of(list[i], merge_key);
    if (!identity) return identity.error();
    identities.position.emplace(*std::move(identity), i);
  }
  return identities;
}

Result<Json> ordered(Json items, const Json& wanted, const Json& live,
                     const std::string& merge_key) {
  const Result<Identities> wanted_at = identities_of(wanted, merge_key);
  if (!wanted_at) return wanted_at.error();
  const Result<Identities> live_at = identities_of(live, merge_key);
  if (!live_at) return live_at.error();

  std::vector<Placed> named;
  std::vector<Placed> rest;
  for (Json& item : items) {
    Result<std::string> identity = identity_of(item, merge_key);
    if (!identity) return identity.error();
    const auto at = wanted_at->position.find(*identity);
    if (at != wanted_at->position.end()) {
      named.push_back({*std::move(identity), at->second, std::move(item)});
      continue;
    }
    const auto live_place = live_at->position.find(*identity);
    const size_t place = live_place == live_at->position.end() ? SIZE_MAX : live_place->second;
    rest.push_back({*std::move(identity), place, std::move(item)});
  }
  sort_by_place(named);
  sort_by_place(rest);

  Json result = Json::array();
  size_t next = 0;  // of `rest`
  for (Placed& item : named) {
    const auto live_place = live_at->position.find(item.identity);
    // A named item that live doesn't know comes as early as it can.
    while (next < rest.size() && live_place != live_at->position.end() &&
           rest[next].place < live_place->second) {
      result.push_back(std::move(rest[next++].element));
    }
    result.push_back(std::move(item.element));
  }
  for (; next < rest.size(); ++next) result.push_back(std::move(rest[next].element));
  return result;
}

}  // namespace windlass::server::patch
