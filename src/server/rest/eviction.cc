// pods/eviction: deletes a pod if every PodDisruptionBudget that covers it allows it now.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/body.h"
#include "server/rest/delete.h"
#include "server/rest/json_access.h"
#include "server/rest/selectors.h"
#include "server/rest/subresources.h"

namespace windlass::server::rest {
namespace {

bool is_ready(const Json& pod) {
  for (const Json& condition : at(pod, "status", "conditions")) {
    if (text_at(condition, "type") == "Ready") return text_at(condition, "status") == "True";
  }
  return false;
}

bool is_healthy(const Json& pod) {
  return is_ready(pod) && at(pod, "metadata", "deletionTimestamp").is_null();
}

bool is_beyond_budgets(const Json& pod) {
  const std::string phase = text_at(at(pod, "status"), "phase");
  return phase == "Succeeded" || phase == "Failed" || phase == "Pending";
}

// "25%" of the whole, rounded up, or the number.
int64_t scaled(const Json& value, int64_t whole) {
  if (value.is_number_integer()) return value.get<int64_t>();
  if (!value.is_string()) return 0;
  const auto& text = value.get_ref<const std::string&>();
  int64_t percent = 0;
  std::from_chars(text.data(), text.data() + text.size(), percent);
  percent = std::clamp<int64_t>(percent, 0, 1'000'000);
  return (whole * percent + 99) / 100;
}

struct Counted {
  int64_t healthy = 0;
  int64_t expected = 0;
};

// How many pods a controller wants; nullopt: it is gone or has no such number.
std::optional<int64_t> wanted_by(const Core& core, const std::string& uid) {
  const auto key = core.ownership.object_of(uid);
  if (!key) return std::nullopt;
  const ResourcePtr resource = core.registry.by_store_name(key->resource);
  const auto document = core.store.find(*key);
  if (resource == nullptr || document == nullptr || !resource->scale) return std::nullopt;
  const Json object = json_of(*document);
  const Json& replicas = at_path(object, resource->scale->spec_replicas);
  if (!replicas.is_number_integer()) return std::nullopt;
  return replicas.get<int64_t>();
}

std::string controller_of(const Json& pod) {
  for (const Json& owner : at(pod, "metadata", "ownerReferences")) {
    if (flag_at(owner, "controller")) return text_at(owner, "uid");
  }
  return {};
}

// The pods a budget covers. Expected is what their controllers want, so that a share stays a share
// of the whole while pods go one by one; a pod without a controller stands for itself.
Counted count(const Core& core, const std::string& in_namespace, const Json& selector) {
  Counted counted;
  std::set<std::string> controllers;
  for (const auto& document : core.store.list("pods", in_namespace)) {
    if (!selector_matches(selector, document->labels)) continue;
    const Json pod = json_of(*document);
    const std::string phase = text_at(at(pod, "status"), "phase");
    if (phase == "Succeeded" || phase == "Failed") continue;
    if (is_healthy(pod)) ++counted.healthy;
    const std::string controller = controller_of(pod);
    const auto wanted = controller.empty() ? std::nullopt : wanted_by(core, controller);
    if (!wanted) {
      ++counted.expected;
    } else if (controllers.insert(controller).second) {
      counted.expected += *wanted;
    }
  }
  return counted;
}

struct Budget {
  std::string name;
  int64_t desired = 0;
  int64_t healthy = 0;
  [[nodiscard]] bool allows() const { return healthy - desired > 0; }
};

Budget budget_of(const Core& core, const cluster::Document& document) {
  const Json object = json_of(document);
  const Json& spec = at(object, "spec");
  const Counted counted = count(core, document.key.namespace_name, at(spec, "selector"));
  Budget budget{document.key.name, 0, counted.healthy};
  if (const Json& most = at(spec, "maxUnavailable"); !most.is_null()) {
    budget.desired = std::max<int64_t>(counted.expected - scaled(most, counted.expected), 0);
  } else {
    budget.desired = scaled(at(spec, "minAvailable"), counted.expected);
  }
  return budget;
}

Fault blocked(const Target& target, const Budget& budget) {
  Fault fault =
      too_many_requests("Cannot evict pod as it would violate the pod's disruption budget.", 10);
  fault.name = target.name;
  fault.kind = "pods";
  fault.causes.push_back(
      {"DisruptionBudget",
       fmt::format("The disruption budget {} needs {} healthy pods and has {} currently",
                   budget.name, budget.desired, budget.healthy),
       ""});
  return fault;
}

// A pod that isn't ready may go under AlwaysAllow, and under IfHealthyBudget while enough are.
bool may_go_unready(const Core& core, const cluster::Document& document, const Budget& budget) {
  const Json object = json_of(document);
  if (text_at(at(object, "spec"), "unhealthyPodEvictionPolicy") == "AlwaysAllow") return true;
  (void)core;
  return budget.desired > 0 && budget.healthy >= budget.desired;
}

std::optional<Fault> check_budgets(const Core& core, const Target& target,
                                   const cluster::Document& document, const Json& pod) {
  if (is_beyond_budgets(pod) || !at(pod, "metadata", "deletionTimestamp").is_null())
    return std::nullopt;
  std::vector<cluster::DocumentPtr> covering;
  for (const auto& budget : core.store.list("poddisruptionbudgets.policy", target.namespace_name)) {
    const Json object = json_of(*budget);
    if (selector_matches(at(object, "spec", "selector"), document.labels)) {
      covering.push_back(budget);
    }
  }
  if (covering.empty()) return std::nullopt;
  if (covering.size() > 1) {
    return internal_error(
        "This pod has more than one PodDisruptionBudget, which the eviction "
        "subresource does not support.");
  }
  const Budget budget = budget_of(core, *covering.front());
  if (!is_ready(pod) && may_go_unready(core, *covering.front(), budget)) return std::nullopt;
  if (!budget.allows()) return blocked(target, budget);
  return std::nullopt;
}

Outcome<DeleteOptions> options_in(const Request& request) {
  auto body = parse_body(request);
  if (!body) return body.fault();
  DeleteOptions options;
  if (!body->is_null() && !body->is_object()) return bad_request("an Eviction must be an object");
  if (auto fault = read_delete_options(at(*body, "deleteOptions"), options)) return *fault;
  if (auto fault = read_dry_run_of(request, options)) return *fault;
  return options;
}

}  // namespace

bool selector_matches(const Json& selector, const api::StringMap& labels) {
  if (!selector.is_object()) return false;
  const auto terms = parse_label_selector(selector_text(selector));
  return terms.ok() && matches(*terms, labels);
}

Outcome<Response> evict(Core& core, const Target& target, const Request& request) {
  if (request.method != "POST") return method_not_allowed();
  const auto options = options_in(request);
  if (!options) return options.fault();
  const auto document = core.store.find(target.key());
  if (document == nullptr) return not_found(target.subject());
  const Json pod = json_of(*document);
  if (auto fault = check_budgets(core, target, *document, pod)) return *fault;
  const auto removal = delete_object(core, *target.resource, target.key(), *options);
  if (!removal) return removal.fault();
  Response response;
  response.status = 201;
  response.body = text_of(success_status(target.subject(), document->uid)) + "\n";
  return response;
}

}  // namespace windlass::server::rest
