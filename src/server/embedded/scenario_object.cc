#include "server/embedded/scenario_object.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/names.h"

namespace windlass::server::embedded {
namespace {

constexpr std::string_view kScenarioApi = "windlass.dev/v1alpha1";
constexpr std::string_view kScenarios = "scenarios.windlass.dev";

std::string object_name(std::string name) {
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.';
    if (!plain) c = '-';
  }
  return api::is_dns_subdomain(name) ? name : "scenario";
}

double to_cents(double usd) { return std::round(usd * 100) / 100; }

Json written(const ScenarioStatus& status) {
  const Instant second{status.time.ns / 1'000'000'000 * 1'000'000'000};
  return {{"policy", status.policy},
          {"time", to_rfc3339(second)},
          {"usd", to_cents(status.usd)},
          {"usdPerHour", to_cents(status.usd_per_hour)},
          {"speed", status.speed}};
}

}  // namespace

ScenarioObject::ScenarioObject(const sim::Scenario& scenario)
    : document_(scenario.document), name_(object_name(scenario.name)) {
  if (document_ != nullptr && !document_->contains("spec")) document_ = nullptr;
}

std::vector<schema::FieldFault> ScenarioObject::refusals(const Json& object) const {
  if (document_ == nullptr || object.value("kind", "") != "Scenario" ||
      object.value("apiVersion", "") != kScenarioApi) {
    return {};
  }
  const Json metadata = object.value("metadata", Json::object());
  if (metadata.value("name", "") != name_) {
    return {
        {"FieldValueForbidden", "metadata.name",
         fmt::format("Forbidden: this cluster runs the scenario {} and keeps no other", name_)}};
  }
  if (object.value("spec", Json()) == document_->at("spec")) return {};
  return {{"FieldValueForbidden", "spec",
           "Forbidden: the scenario that runs can't be changed; start windlass up with another"}};
}

void ScenarioObject::renew(const ScenarioStatus& status, const cluster::ObjectStore& store,
                           rest::KubeApi& api) const {
  if (document_ == nullptr) return;
  const cluster::ObjectKey key{std::string(kScenarios), "", name_};
  Json object{{"apiVersion", kScenarioApi}, {"kind", "Scenario"}};
  const cluster::DocumentPtr live = store.find(key);
  if (live != nullptr) {
    // Labels and annotations are clients' to set.
    if (Result<Json> read = parse_json(live->json); read.ok()) object = *std::move(read);
  }
  Json& metadata = object["metadata"];
  if (!metadata.is_object()) metadata = Json::object();
  const Json& spec = document_->at("spec");
  // A scenario that goes on with its file changed is another generation.
  if (const bool changed = object.value("spec", Json()) != spec; changed) {
    metadata["generation"] = metadata.value("generation", 0) + 1;
    object["spec"] = spec;
  }
  object["status"] = written(status);
  api.put_from_world(key, std::move(object), "windlass");
}

}  // namespace windlass::server::embedded
