#include "cli/catalog_command.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/karpenter.h"
#include "base/quantity.h"
#include "base/text.h"
#include "catalog/labels.h"

namespace windlass::cli {
namespace {

using catalog::InstanceType;
using Types = std::vector<const InstanceType*>;

constexpr double kMibPerGib = 1024;
constexpr double kMilliBytesPerGib = 1000.0 * 1024 * 1024 * 1024;

// The one value of a label, or empty.
std::string label(const InstanceType& type, std::string_view key) {
  const api::Requirement& requirement = type.requirements.get(key);
  if (requirement.complement() || requirement.values().size() != 1) return {};
  return *requirement.values().begin();
}

int64_t number_label(const InstanceType& type, std::string_view key) {
  const Result<int64_t> number = parse_int(label(type, key));
  return number.ok() ? *number : 0;
}

std::optional<double> price(const InstanceType& type, std::string_view capacity_type) {
  api::Requirements wanted;
  wanted.add(api::kCapacityTypeLabel,
             api::Requirement(api::Operator::kIn, {std::string(capacity_type)}));
  const catalog::Offering* offering = type.cheapest(wanted);
  return offering == nullptr ? std::nullopt : std::optional(offering->usd_per_hour);
}

// Of any maker's GPUs; nullopt for types that have none, or a fraction of one.
std::optional<double> price_per_gpu(const InstanceType& type, std::string_view capacity_type) {
  const int64_t gpus = number_label(type, catalog::kGpuCountLabel);
  const std::optional<double> hourly = price(type, capacity_type);
  if (gpus == 0 || !hourly) return std::nullopt;
  return *hourly / static_cast<double>(gpus);
}

std::string_view priced_as(std::string_view capacity_type) {
  return capacity_type.empty() ? api::kOnDemand : capacity_type;
}

// "did you mean" where a name is near, and in any case what there is.
Error unknown(std::string_view what, std::string_view name,
              const std::set<std::string, std::less<>>& known) {
  const std::vector<std::string_view> views(known.begin(), known.end());
  const std::string_view near = nearest_name(name, views);
  const std::string hint = near.empty() ? "" : fmt::format(", did you mean \"{}\"?", near);
  return Error(fmt::format("{} \"{}\" is not in the catalogue{}; accepted: {}", what, name, hint,
                           fmt::join(known, ", ")));
}

Result<api::Requirements> requirements_of(const catalog::Catalog& catalog,
                                          const CatalogQuery& query) {
  std::set<std::string, std::less<>> keys;
  std::set<std::string, std::less<>> gpus;
  for (const InstanceType& type : catalog.types) {
    for (const auto& [key, requirement] : type.requirements) keys.insert(key);
    if (std::string name = label(type, catalog::kGpuNameLabel); !name.empty()) gpus.insert(name);
  }
  std::vector<api::RequirementSpec> specs;
  for (const std::string& text : query.requirements) {
    Result<api::RequirementSpec> spec = parse_requirement(text);
    if (!spec.ok()) return spec.error();
    if (!keys.contains(spec->key)) return unknown("label", spec->key, keys);
    specs.push_back(std::move(*spec));
  }
  if (!query.gpu.empty()) {
    if (!gpus.contains(query.gpu)) return unknown("GPU", query.gpu, gpus);
    specs.push_back({std::string(catalog::kGpuNameLabel), api::Operator::kIn, {query.gpu}, {}});
  }
  if (!query.capacity_type.empty()) {
    specs.push_back(
        {std::string(api::kCapacityTypeLabel), api::Operator::kIn, {query.capacity_type}, {}});
  }
  return api::Requirements::from_specs(specs);
}

// The figure to sort by; nothing sorts last.
double sort_key(const InstanceType& type, const CatalogQuery& query) {
  constexpr double kLast = std::numeric_limits<double>::infinity();
  const std::string_view as = priced_as(query.capacity_type);
  if (query.sort == "usd-per-hour") return price(type, as).value_or(kLast);
  if (query.sort == "usd-per-gpu-hour") return price_per_gpu(type, as).value_or(kLast);
  if (query.sort == "vcpu") return static_cast<double>(type.capacity.milli(api::kCpu));
  if (query.sort == "memory") return static_cast<double>(type.capacity.milli(api::kMemory));
  if (query.sort == "gpus") {
    const int64_t gpus = number_label(type, catalog::kGpuCountLabel);
    return gpus == 0 ? kLast : static_cast<double>(gpus);
  }
  return 0;  // by name, which is the catalogue's own order
}

std::string gib(double amount) {
  return amount < 10 && amount != std::floor(amount) ? fmt::format("{:.1f} GiB", amount)
                                                     : fmt::format("{:.0f} GiB", amount);
}

// "4x a10g 22 GiB", "12x inferentia2"; a share of a GPU has no count.
std::string device_cell(const InstanceType& type) {
  const std::string gpu = label(type, catalog::kGpuNameLabel);
  if (gpu.empty()) {
    const std::string name = label(type, "karpenter.k8s.aws/instance-accelerator-name");
    if (name.empty()) return "-";
    return fmt::format("{}x {}", label(type, "karpenter.k8s.aws/instance-accelerator-count"), name);
  }
  const int64_t count = number_label(type, catalog::kGpuCountLabel);
  const auto mib = static_cast<double>(number_label(type, catalog::kGpuMemoryLabel));
  const std::string share = count == 0 ? "share of" : fmt::format("{}x", count);
  return fmt::format("{} {} {}", share, gpu, gib(mib / kMibPerGib));
}

std::string usd(std::optional<double> amount) {
  return amount ? fmt::format("{:.4f}", *amount) : "-";
}

std::vector<std::string> table_row(const InstanceType& type, std::string_view capacity_type) {
  const auto memory_mib =
      static_cast<double>(number_label(type, "karpenter.k8s.aws/instance-memory"));
  return {type.name,
          device_cell(type),
          fmt::format("{}", type.capacity.milli(api::kCpu) / 1000),
          gib(memory_mib / kMibPerGib),
          fmt::format("{:.2f} cpu, {:.1f} GiB, {} pods",
                      static_cast<double>(type.allocatable.milli(api::kCpu)) / 1000,
                      static_cast<double>(type.allocatable.milli(api::kMemory)) / kMilliBytesPerGib,
                      type.allocatable.milli(api::kPods) / 1000),
          usd(price(type, api::kOnDemand)),
          usd(price(type, api::kSpot)),
          usd(price_per_gpu(type, priced_as(capacity_type)))};
}

Json resources_json(const api::ResourceList& list) {
  Json json = Json::object();
  for (const auto& [name, milli] : list) {
    const bool bytes = name == api::kMemory || name == api::kEphemeralStorage;
    const auto format = bytes ? Quantity::Format::kBinarySI : Quantity::Format::kDecimalSI;
    json[name] = Quantity::from_milli(milli, format).to_string();
  }
  return json;
}

Json price_json(std::optional<double> amount) { return amount ? Json(*amount) : Json(nullptr); }

Json type_json(const InstanceType& type) {
  Json json = {{"name", type.name},
               {"labels", type.requirements.labels()},
               {"capacity", resources_json(type.capacity)},
               {"overhead", resources_json(type.overhead)},
               {"allocatable", resources_json(type.allocatable)},
               {"on_demand_usd_per_hour", price_json(price(type, api::kOnDemand))},
               {"spot_usd_per_hour", price_json(price(type, api::kSpot))},
               {"on_demand_usd_per_gpu_hour", price_json(price_per_gpu(type, api::kOnDemand))},
               {"spot_usd_per_gpu_hour", price_json(price_per_gpu(type, api::kSpot))}};
  json["nvidia_gpu"] = nullptr;
  if (type.gpu_count > 0) {
    json["nvidia_gpu"] = {
        {"name", type.gpu_name}, {"count", type.gpu_count}, {"memory_mib", type.gpu_memory_mib}};
  }
  json["offerings"] = Json::array();
  for (const catalog::Offering& offering : type.offerings) {
    json["offerings"].push_back({{"zone", offering.zone},
                                 {"capacity_type", offering.capacity_type},
                                 {"usd_per_hour", offering.usd_per_hour},
                                 {"available", offering.available}});
  }
  return json;
}

Status check_values(const api::RequirementSpec& spec, bool has_values) {
  const std::string_view op = api::to_string(spec.op);
  switch (spec.op) {
    case api::Operator::kExists:
    case api::Operator::kDoesNotExist:
      if (!has_values) return {};
      return Error(fmt::format("{} takes no values; accepted: {}={}", op, spec.key, op));
    case api::Operator::kIn:
    case api::Operator::kNotIn:
      if (has_values && std::ranges::find(spec.values, "") == spec.values.end()) return {};
      return Error(
          fmt::format("{0} needs values; accepted: {1}={0}:VALUE[,VALUE...]", op, spec.key));
    default:
      if (spec.values.size() == 1 && parse_int(spec.values.front()).ok()) return {};
      return Error(fmt::format("{0} needs one integer, found \"{1}\"; accepted: {2}={0}:NUMBER", op,
                               fmt::join(spec.values, ","), spec.key));
  }
}

}  // namespace

Result<api::RequirementSpec> parse_requirement(std::string_view text) {
  const std::string place = fmt::format("requirement \"{}\"", text);
  const size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return Error(
               "found no label and operator; accepted: KEY=OP[:VALUE,...], OP one of In, NotIn, "
               "Exists, DoesNotExist, Gt, Lt, Gte, Lte")
        .in(place);
  }
  const std::string_view rest = text.substr(equals + 1);
  const size_t colon = rest.find(':');
  const bool has_values = colon != std::string_view::npos;
  const Result<api::Operator> op = api::parse_operator(rest.substr(0, colon));
  if (!op.ok()) return op.error().in(place);
  api::RequirementSpec spec{std::string(text.substr(0, equals)), *op, {}, {}};
  if (has_values) {
    for (const std::string_view value : split(rest.substr(colon + 1), ',')) {
      spec.values.emplace_back(value);
    }
  }
  if (const Status status = check_values(spec, has_values); !status.ok()) {
    return status.error().in(place);
  }
  return spec;
}

Result<Types> select_types(const catalog::Catalog& catalog, const CatalogQuery& query) {
  const Result<api::Requirements> wanted = requirements_of(catalog, query);
  if (!wanted.ok()) return wanted.error();
  const bool offering_matters =
      wanted->has(api::kZoneLabel) || wanted->has(api::kCapacityTypeLabel);
  std::vector<std::pair<double, const InstanceType*>> found;
  for (const InstanceType& type : catalog.types) {
    if (!type.requirements.intersects(*wanted)) continue;
    // Zone and capacity type have to be met by one and the same offering.
    if (offering_matters && type.cheapest(*wanted) == nullptr) continue;
    found.emplace_back(sort_key(type, query), &type);
  }
  std::ranges::stable_sort(found, {}, &std::pair<double, const InstanceType*>::first);
  Types types;
  for (const auto& [key, type] : found) types.push_back(type);
  return types;
}

std::string catalog_table(const Types& types, std::string_view capacity_type) {
  const std::string per_gpu = fmt::format("$/GPU-h {}", priced_as(capacity_type));
  std::vector<std::vector<std::string>> rows{
      {"type", "GPU", "vCPU", "memory", "allocatable", "on-demand $/h", "spot $/h", per_gpu}};
  for (const InstanceType* type : types) rows.push_back(table_row(*type, capacity_type));
  std::string table = format_table(rows, {false, false, true, true, false, true, true, true});
  while (table.ends_with('\n')) table.pop_back();
  return table;
}

std::string catalog_json(const Types& types) {
  Json array = Json::array();
  for (const InstanceType* type : types) array.push_back(type_json(*type));
  return array.dump(2);
}

int run_catalog(const CatalogQuery& query, bool as_json) {
  const catalog::Catalog catalog = catalog::built_in(catalog::CatalogOptions{});
  const Result<Types> types = select_types(catalog, query);
  if (!types.ok()) {
    fmt::print(stderr, "error: {}\n", types.error().message());
    return 2;
  }
  fmt::print("{}\n", as_json ? catalog_json(*types) : catalog_table(*types, query.capacity_type));
  if (types->empty() && !as_json) fmt::print(stderr, "no instance type meets the query\n");
  return 0;
}

}  // namespace windlass::cli
