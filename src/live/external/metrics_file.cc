#include "live/external/metrics_file.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "base/json.h"
#include "live/external/demand_spec.h"

namespace windlass::live::external {
namespace {

using api::Reader;

bool meet(const ServedMetric& a, const ServedMetric& b) {
  if (a.name != b.name) return false;
  if (a.namespaces.empty() || b.namespaces.empty()) return true;
  return std::ranges::any_of(a.namespaces, [&](const std::string& n) { return b.served_in(n); });
}

ServedMetric read_metric(Reader reader) {
  ServedMetric out;
  out.namespaces = reader.at("namespaces").strings();
  out.labels = reader.at("labels").string_map();
  Reader metadata = reader.required("metadata");
  out.metadata = metadata.string_map();
  reader.refuse_unknown_keys();
  if (!metadata.present()) return out;
  if (const auto spec = read_demand_spec(out.metadata); spec.ok()) {
    out.name = spec->metric;
  } else {
    metadata.error(spec.error().message());
  }
  return out;
}

}  // namespace

bool ServedMetric::served_in(std::string_view namespace_name) const {
  return namespaces.empty() || std::ranges::find(namespaces, namespace_name) != namespaces.end();
}

Result<std::vector<ServedMetric>> read_metrics_file(std::string_view text) {
  const auto documents = parse_yaml(text);
  if (!documents.ok()) return documents.error();
  if (documents->size() != 1) return Error("one YAML document with metrics is accepted");
  api::ReadLog log;
  Reader root(*documents->front().value, "", log);
  std::vector<ServedMetric> out;
  for (const Reader& item : root.required("metrics").items()) {
    ServedMetric metric = read_metric(item);
    const bool twice = !metric.name.empty() &&
                       std::ranges::any_of(out, [&](const auto& one) { return meet(one, metric); });
    if (twice) item.error(fmt::format("{} is there already in that namespace", metric.name));
    out.push_back(std::move(metric));
  }
  root.refuse_unknown_keys();
  if (!log.errors.empty()) return Error(log.joined_errors());
  if (out.empty()) return Error("metrics: at least one is needed");
  return out;
}

}  // namespace windlass::live::external
