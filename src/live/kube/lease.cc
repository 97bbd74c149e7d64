#include "live/kube/lease.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::live::kube {
namespace {

std::string string_at(const Json& map, const char* key) {
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

// Of what is no number: 0. Neither does a number beyond any sense do harm.
int64_t count_at(const Json& map, const char* key) {
  const auto found = map.find(key);
  if (found == map.end() || !found->is_number_integer()) return 0;
  return std::clamp<int64_t>(found->get<int64_t>(), 0, INT32_MAX);
}

}  // namespace

std::string micro_time(Instant t) {
  constexpr int64_t kSecond = 1'000'000'000;
  const int64_t fraction = ((t.ns % kSecond) + kSecond) % kSecond;
  std::string out = to_rfc3339(Instant{t.ns - fraction});
  out.pop_back();  // Z
  return out + fmt::format(".{:06}Z", fraction / 1000);
}

Result<Lease> read_lease(std::string_view body) {
  auto json = parse_json(body);
  if (!json) return json.error().in("Lease");
  if (!json->is_object()) return Error("Lease: not a map");
  // Another object has no holder, which must not be taken for a lease that nobody holds.
  if (const std::string kind = string_at(*json, "kind"); !kind.empty() && kind != "Lease") {
    return Error("Lease: the answer is of another kind");
  }
  // Without a version a write would win over whatever came between.
  const auto meta = json->find("metadata");
  if (meta == json->end() || !meta->is_object() || string_at(*meta, "resourceVersion").empty()) {
    return Error("Lease: no metadata.resourceVersion");
  }
  if (const auto it = json->find("spec"); it != json->end() && !it->is_object() && !it->is_null()) {
    return Error("Lease: spec is not a map");
  }
  Lease out;
  const auto spec = json->find("spec");
  if (spec != json->end() && spec->is_object()) {
    out.record = {string_at(*spec, "holderIdentity"), count_at(*spec, "leaseDurationSeconds"),
                  string_at(*spec, "acquireTime"), string_at(*spec, "renewTime"),
                  count_at(*spec, "leaseTransitions")};
  }
  out.object = std::make_shared<const Json>(std::move(*json));
  return out;
}

std::string write_lease(const std::shared_ptr<const Json>& object, const LeaseRecord& record,
                        std::string_view namespace_name, std::string_view name) {
  Json out = object != nullptr ? *object : Json::object();
  if (object == nullptr) {
    out["metadata"] = {{"name", name}, {"namespace", namespace_name}};
  }
  out["apiVersion"] = "coordination.k8s.io/v1";
  out["kind"] = "Lease";
  Json& spec = out["spec"];
  if (!spec.is_object()) spec = Json::object();
  spec["holderIdentity"] = record.holder;
  spec["leaseDurationSeconds"] = record.duration_s;
  spec["acquireTime"] = record.acquire_time;
  spec["renewTime"] = record.renew_time;
  spec["leaseTransitions"] = record.transitions;
  return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace windlass::live::kube
