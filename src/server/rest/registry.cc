#include "server/rest/registry.h"

#include <algorithm>
#include <cctype>

#include <nlohmann/json.hpp>

#include "server/rest/built_in_resources.h"
#include "server/rest/json_access.h"

namespace windlass::server::rest {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  while (!text.empty()) {
    const size_t end = std::min(text.find(' '), text.size());
    if (end > 0) words.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return words;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

ResourcePtr make_built_in(const BuiltInResource& row) {
  const auto has = [&](char flag) { return row.flags.find(flag) != std::string_view::npos; };
  auto resource = std::make_shared<Resource>();
  resource->group = row.group;
  resource->plural = row.plural;
  resource->kind = row.kind;
  resource->list_kind = std::string(row.kind) + "List";
  // Endpoints is the one kind whose singular is its plural.
  resource->singular = lower(row.kind);
  resource->short_names = words_of(row.short_names);
  if (has('a')) resource->categories = {"all"};
  resource->namespaced = has('n');
  resource->status = has('s');
  if (has('c')) resource->scale = ScalePaths{};
  resource->virtual_only = has('v');
  resource->other_subresources = words_of(row.others);
  for (const auto& name : words_of(row.versions)) {
    Version version;
    version.name = name;
    version.shape = schema::built_in(row.group, name, row.kind);
    version.table = kinds::table_for(row.group, name, row.kind);
    resource->versions.push_back(std::move(version));
  }
  const bool is_new_event = row.group == "events.k8s.io";
  const std::string_view group = is_new_event ? std::string_view{} : row.group;
  resource->store_name = store_name(group, row.plural);
  resource->storage_api_version = api_version(group, resource->versions.front().name);
  return resource;
}

struct ParsedVersion {
  int stability = -1;  // 2 stable, 1 beta, 0 alpha, -1 no version by Kubernetes' pattern
  long major = 0;
  long minor = 0;
};

ParsedVersion parse_version(std::string_view text) {
  const auto number = [&](long& out) {
    size_t digits = 0;
    while (digits < text.size() && digits < 9 && text[digits] >= '0' && text[digits] <= '9') {
      out = out * 10 + (text[digits++] - '0');
    }
    text.remove_prefix(digits);
    return digits > 0;
  };
  ParsedVersion parsed;
  if (!text.starts_with('v')) return parsed;
  text.remove_prefix(1);
  if (!number(parsed.major)) return parsed;
  if (text.empty()) {
    parsed.stability = 2;
    return parsed;
  }
  int stability = -1;
  if (text.starts_with("beta")) {
    stability = 1;
    text.remove_prefix(4);
  } else if (text.starts_with("alpha")) {
    stability = 0;
    text.remove_prefix(5);
  } else {
    return parsed;
  }
  if (number(parsed.minor) && text.empty()) parsed.stability = stability;
  return parsed;
}

void read_names(const Json& spec, Resource& resource) {
  const Json& names = at(spec, "names");
  resource.plural = text_at(names, "plural");
  resource.kind = text_at(names, "kind");
  resource.singular = text_at(names, "singular");
  if (resource.singular.empty()) resource.singular = lower(resource.kind);
  resource.list_kind = text_at(names, "listKind");
  if (resource.list_kind.empty()) resource.list_kind = resource.kind + "List";
  for (const Json& name : at(names, "shortNames")) {
    if (name.is_string()) resource.short_names.push_back(name.get<std::string>());
  }
  for (const Json& name : at(names, "categories")) {
    if (name.is_string()) resource.categories.push_back(name.get<std::string>());
  }
}

void read_subresources(const Json& version, Resource& resource) {
  const Json& subresources = at(version, "subresources");
  if (subresources.contains("status")) resource.status = true;
  const Json& scale = at(subresources, "scale");
  if (scale.is_object()) {
    resource.scale =
        ScalePaths{text_at(scale, "specReplicasPath"), text_at(scale, "statusReplicasPath"),
                   text_at(scale, "labelSelectorPath")};
  }
  for (const Json& field : at(version, "selectableFields")) {
    std::string path = text_at(field, "jsonPath");
    if (path.starts_with('.')) path.erase(0, 1);
    if (!path.empty()) resource.selectable.emplace_back(path, path);
  }
}

}  // namespace

const Version* Resource::version(std::string_view wanted) const {
  for (const auto& each : versions) {
    if (each.name == wanted && each.served) return &each;
  }
  return nullptr;
}

const Version* Resource::storage() const {
  for (const auto& each : versions) {
    if (api_version(group, each.name) == storage_api_version) return &each;
  }
  return nullptr;
}

bool Resource::has_subresource(std::string_view wanted) const {
  if (wanted == "status") return status;
  if (wanted == "scale") return scale.has_value();
  return std::find(other_subresources.begin(), other_subresources.end(), wanted) !=
         other_subresources.end();
}

Registry::Registry() {
  for (const auto& row : kBuiltInResources) {
    ResourcePtr resource = make_built_in(row);
    if (resource->storage() != nullptr && !resource->virtual_only) {
      by_store_name_[resource->store_name] = resource;
    }
    resources_[{resource->group, resource->plural}] = std::move(resource);
  }
}

ResourcePtr Registry::find(std::string_view group, std::string_view plural) const {
  const auto found = resources_.find({std::string(group), std::string(plural)});
  return found == resources_.end() ? nullptr : found->second;
}

ResourcePtr Registry::by_kind(std::string_view group, std::string_view kind) const {
  for (auto each = resources_.lower_bound({std::string(group), ""});
       each != resources_.end() && each->first.first == group; ++each) {
    if (each->second->kind == kind) return each->second;
  }
  return nullptr;
}

ResourcePtr Registry::by_store_name(std::string_view name) const {
  const auto found = by_store_name_.find(name);
  return found == by_store_name_.end() ? nullptr : found->second;
}

std::vector<std::pair<std::string, std::vector<std::string>>> Registry::groups() const {
  std::vector<std::pair<std::string, std::vector<std::string>>> groups;
  const auto add = [&](const std::string& group, const Version& version) {
    if (!version.served) return;
    auto found = std::find_if(groups.begin(), groups.end(),
                              [&](const auto& each) { return each.first == group; });
    if (found == groups.end()) found = groups.insert(groups.end(), {group, {}});
    auto& versions = found->second;
    if (std::find(versions.begin(), versions.end(), version.name) == versions.end()) {
      versions.push_back(version.name);
    }
  };
  for (const auto& row : kBuiltInResources) {
    const ResourcePtr resource = find(row.group, row.plural);
    for (const auto& version : resource->versions) add(resource->group, version);
  }
  for (const auto& [key, resource] : resources_) {
    if (!resource->custom) continue;
    for (const auto& version : resource->versions) add(resource->group, version);
  }
  for (auto& [group, versions] : groups)
    std::sort(versions.begin(), versions.end(), version_before);
  return groups;
}

bool Registry::serves(std::string_view group, std::string_view version) const {
  for (auto each = resources_.lower_bound({std::string(group), ""});
       each != resources_.end() && each->first.first == group; ++each) {
    if (each->second->version(version) != nullptr) return true;
  }
  return false;
}

Status Registry::set_crd(const Json& crd) {
  auto resource = std::make_shared<Resource>();
  const Json& spec = at(crd, "spec");
  resource->group = text_at(spec, "group");
  resource->namespaced = text_at(spec, "scope") != "Cluster";
  resource->custom = true;
  read_names(spec, *resource);
  if (resource->group.empty() || resource->plural.empty() || resource->kind.empty()) {
    return Error("a CRD without group, plural or kind");
  }
  const auto built_in = resources_.find({resource->group, resource->plural});
  if (built_in != resources_.end() && !built_in->second->custom) {
    return Error("the resource is built in");
  }
  resource->store_name = store_name(resource->group, resource->plural);
  for (const Json& each : at(spec, "versions")) {
    Version version;
    version.name = text_at(each, "name");
    version.served = flag_at(each, "served");
    auto read = schema::read_crd_schema(at(at(each, "schema"), "openAPIV3Schema"));
    if (!read.ok()) return read.error().in(version.name);
    version.owned_shape = std::make_shared<const schema::CrdShape>(std::move(*read));
    version.shape = version.owned_shape->root;
    version.table = kinds::table_for_crd(at(each, "additionalPrinterColumns"));
    if (flag_at(each, "storage")) {
      resource->storage_api_version = api_version(resource->group, version.name);
    }
    read_subresources(each, *resource);
    resource->versions.push_back(std::move(version));
  }
  std::stable_sort(
      resource->versions.begin(), resource->versions.end(),
      [](const Version& a, const Version& b) { return version_before(a.name, b.name); });
  if (resource->storage() == nullptr) return Error("no storage version");
  by_store_name_[resource->store_name] = resource;
  resources_[{resource->group, resource->plural}] = resource;
  ++generation_;
  return {};
}

void Registry::remove_crd(std::string_view group, std::string_view plural) {
  const auto found = resources_.find({std::string(group), std::string(plural)});
  if (found == resources_.end() || !found->second->custom) return;
  by_store_name_.erase(found->second->store_name);
  resources_.erase(found);
  ++generation_;
}

bool version_before(std::string_view a, std::string_view b) {
  const ParsedVersion left = parse_version(a);
  const ParsedVersion right = parse_version(b);
  if (left.stability != right.stability) return left.stability > right.stability;
  if (left.stability < 0) return a < b;
  if (left.major != right.major) return left.major > right.major;
  return left.minor > right.minor;
}

}  // namespace windlass::server::rest
