#include "catalog/catalog_file.h"

#include <algorithm>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "base/text.h"
#include "base/yaml.h"
#include "catalog/labels.h"

namespace windlass::catalog {
namespace {

using api::Reader;

constexpr double kDearest = 1e9;  // USD per hour; no machine costs more

Offering read_offering(Reader& item) {
  Offering out;
  out.zone = item.required("zone").required_string();
  out.capacity_type =
      item.required("capacity_type")
          .one_of<std::string>(
              {{"on-demand", "on-demand"}, {"spot", "spot"}, {"reserved", "reserved"}})
          .value_or("");
  out.usd_per_hour = item.required("price").number(0, kDearest).value_or(0);
  out.available = item.at("available").boolean().value_or(true);
  out.odds = item.at("odds").number(0, 1).value_or(1);
  out.reservation_id = item.at("reservation_id").string().value_or("");
  out.reservation_type = item.at("reservation_type").string().value_or("");
  out.reservation_left = item.at("reservation_left").int32(0, INT32_MAX).value_or(0);
  item.refuse_unknown_keys();
  return out;
}

// In over the offerings, which is DoesNotExist where there are none, as in Karpenter.
void add_labels(InstanceType& type) {
  std::vector<std::string> zones;
  std::vector<std::string> capacity_types;
  for (const Offering& offering : type.offerings) {
    zones.push_back(offering.zone);
    capacity_types.push_back(offering.capacity_type);
  }
  const auto unless_given = [&](std::string_view key, const std::vector<std::string>& values) {
    if (!type.requirements.has(key)) type.requirements.add(key, {api::Operator::kIn, values});
  };
  unless_given(api::kInstanceTypeLabel, {type.name});
  unless_given(api::kZoneLabel, zones);
  unless_given(api::kCapacityTypeLabel, capacity_types);
}

// One value of a label, or empty.
std::string label(const InstanceType& type, std::string_view key) {
  if (!type.requirements.has(key)) return {};
  const api::Requirement& requirement = type.requirements.get(key);
  if (requirement.complement() || requirement.values().empty()) return {};
  return *requirement.values().begin();
}

void read_gpus(InstanceType& type) {
  type.gpu_name = label(type, kGpuNameLabel);
  type.gpu_count = static_cast<int>(api::whole_units(type.capacity.milli(api::kNvidiaGpu)));
  if (const auto memory = parse_int(label(type, kGpuMemoryLabel))) type.gpu_memory_mib = *memory;
}

InstanceType read_type(Reader& item) {
  InstanceType type;
  type.name = item.at("name").required_string();
  type.capacity = item.required("capacity").resources();
  type.overhead = item.at("overhead").resources();
  type.allocatable = type.capacity - type.overhead;
  for (const auto& [key, values] : item.at("requirements").entries()) {
    type.requirements.add(key, {api::Operator::kIn, values.strings()});
  }
  std::set<std::tuple<std::string, std::string, std::string>> seen;
  for (Reader& offering : item.required("offerings").items()) {
    Offering read = read_offering(offering);
    if (!seen.emplace(read.zone, read.capacity_type, read.reservation_id).second) {
      offering.error(fmt::format("{} in {} stands twice", read.capacity_type, read.zone));
    }
    type.offerings.push_back(std::move(read));
  }
  std::stable_sort(type.offerings.begin(), type.offerings.end(),
                   [](const Offering& a, const Offering& b) { return a.zone < b.zone; });
  item.refuse_unknown_keys();
  add_labels(type);
  read_gpus(type);
  return type;
}

}  // namespace

Result<Catalog> read_catalog(std::string_view text, std::string_view file) {
  const YamlStream stream(text);
  if (!stream.problems().empty()) {
    const YamlProblem& problem = stream.problems().front();
    return Error(fmt::format("{}:{}: {}", file, problem.line, problem.text));
  }
  if (stream.documents().size() != 1 || !stream.documents()[0].value->is_array()) {
    return Error(fmt::format("{}: accepted is one array of instance types", file));
  }
  api::ReadLog log;
  Catalog catalog;
  for (Reader& item : Reader(*stream.documents()[0].value, "", log).items()) {
    catalog.types.push_back(read_type(item));
  }
  std::stable_sort(catalog.types.begin(), catalog.types.end(),
                   [](const InstanceType& a, const InstanceType& b) { return a.name < b.name; });
  for (size_t i = 1; i < catalog.types.size(); ++i) {
    if (catalog.types[i].name != catalog.types[i - 1].name) continue;
    log.errors.push_back({catalog.types[i].name, "stands twice"});
  }
  if (catalog.types.empty() && log.errors.empty()) {
    return Error(fmt::format("{}: has no instance types", file));
  }
  std::string errors;
  for (const api::ReadFinding& error : log.errors) {
    errors += fmt::format("{}{}:{}: {}: {}", errors.empty() ? "" : "\n", file,
                          stream.nearest_line(0, error.path), error.path, error.text);
  }
  if (!errors.empty()) return Error(errors);
  return catalog;
}

}  // namespace windlass::catalog
