#include "server/rest/subresources.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/body.h"
#include "server/rest/garbage.h"
#include "server/rest/json_access.h"
#include "server/rest/write.h"

namespace windlass::server::rest {
namespace {

Response created(const Json& object) {
  Response response;
  response.status = 201;
  response.body = text_of(object) + "\n";
  return response;
}

// core/v1 Binding: a scheduler's decision.
Outcome<Response> bind(Core& core, const Target& target, const Request& request) {
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  auto body = parse_body(request);
  if (!body) return body.fault();
  const std::string node = text_at(at(*body, "target"), "name");
  const auto document = core.store.find(target.key());
  if (document == nullptr) return not_found(target.subject());
  const Json live = json_of(*document);
  if (node.empty()) {
    return invalid("", "Binding", target.name,
                   {{"FieldValueRequired", "target.name", "Required value"}});
  }
  if (const std::string bound = text_at(at(live, "spec"), "nodeName"); !bound.empty()) {
    return conflict(target.subject(),
                    fmt::format("pod {} is already assigned to node \"{}\"", target.name, bound));
  }
  Json after = live;
  after["spec"]["nodeName"] = node;
  Json& conditions = make_object(after, "status")["conditions"];
  if (!conditions.is_array()) conditions = Json::array();
  Json scheduled = {{"type", "PodScheduled"},
                    {"status", "True"},
                    {"lastProbeTime", nullptr},
                    {"lastTransitionTime", timestamp(core.now())}};
  bool replaced = false;
  for (Json& each : conditions) {
    if (text_at(each, "type") != "PodScheduled") continue;
    each = scheduled;
    replaced = true;
  }
  if (!replaced) conditions.push_back(std::move(scheduled));
  options->checked = false;
  auto written = finish_update(core, target, live, std::move(after), *options);
  if (!written) return written.fault();
  return created({{"kind", "Status"},
                  {"apiVersion", "v1"},
                  {"metadata", Json::object()},
                  {"status", "Success"},
                  {"code", 201}});
}

Outcome<Response> token(Core& core, const Target& target, const Request& request) {
  auto body = parse_body(request);
  if (!body) return body.fault();
  const auto account = core.store.find(target.key());
  if (account == nullptr) return not_found(target.subject());
  if (!core.options.issue_token) return not_implemented("no tokens are issued");
  constexpr int64_t kDefault = 3600;
  constexpr int64_t kLeast = 600;
  constexpr int64_t kMost = int64_t{1} << 32;
  const int64_t asked = integer_at(at(*body, "spec"), "expirationSeconds").value_or(kDefault);
  if (asked < kLeast || asked > kMost) {
    return invalid("authentication.k8s.io", "TokenRequest", target.name,
                   {{"FieldValueInvalid", "spec.expirationSeconds",
                     fmt::format("Invalid value: {}: may not specify a duration less than 10 "
                                 "minutes or larger than 2^32 seconds",
                                 asked)}});
  }
  // A token's life is real time: its holder is a real program.
  const Instant expires = core.wall_now() + seconds(asked);
  const std::string user =
      fmt::format("system:serviceaccount:{}:{}", target.namespace_name, target.name);
  Json audiences = at(*body, "spec", "audiences");
  if (!audiences.is_array() || audiences.empty()) {
    audiences = Json::array({"https://kubernetes.default.svc"});
  }
  return created({{"kind", "TokenRequest"},
                  {"apiVersion", "authentication.k8s.io/v1"},
                  {"metadata",
                   {{"name", target.name},
                    {"namespace", target.namespace_name},
                    {"creationTimestamp", timestamp(core.now())}}},
                  {"spec", {{"audiences", audiences}, {"expirationSeconds", asked}}},
                  {"status",
                   {{"token", core.options.issue_token(user, account->uid, expires)},
                    {"expirationTimestamp", timestamp(expires)}}}});
}

// namespaces/finalize: spec.finalizers as the body has them.
Outcome<Response> finalize(Core& core, const Target& target, const Request& request) {
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  auto body = decode_object(target, request, *options);
  if (!body) return body.fault();
  const auto document = core.store.find(target.key());
  if (document == nullptr) return not_found(target.subject());
  const Json live = json_of(*document);
  Json after = live;
  const std::string version = text_at((*body)["metadata"], "resourceVersion");
  if (!version.empty()) after["metadata"]["resourceVersion"] = version;
  make_object(after, "spec")["finalizers"] = at(*body, "spec", "finalizers");
  if (after["spec"]["finalizers"].is_null()) after["spec"].erase("finalizers");
  auto written = finish_update(core, target, live, std::move(after), *options);
  if (!written) return written.fault();
  return written_response(core, target, request, std::move(*written), *options);
}

// resize, ephemeralcontainers: parts of a pod that may change after all.
Outcome<Response> write_part(Core& core, const Target& target, const Request& request) {
  if (request.method == "PUT") return update(core, target, request);
  if (request.method == "PATCH") return patch(core, target, request);
  return method_not_allowed();
}

}  // namespace

Outcome<Response> subresource(Core& core, const Target& target, const Request& request) {
  const std::string& name = target.subresource;
  if (name == "scale") return scale(core, target, request);
  if (name == "eviction") return evict(core, target, request);
  const bool is_post = request.method == "POST";
  if (name == "binding") return is_post ? bind(core, target, request) : method_not_allowed();
  if (name == "token") return is_post ? token(core, target, request) : method_not_allowed();
  if (name == "finalize") {
    return request.method == "PUT" ? finalize(core, target, request) : method_not_allowed();
  }
  if (core.store.find(target.key()) == nullptr) return not_found(target.subject());
  if (name == "resize" || name == "ephemeralcontainers") {
    return write_part(core, target, request);
  }
  return not_implemented(fmt::format("the embedded cluster runs no containers: {}/{} has no answer",
                                     target.resource->plural, name));
}

}  // namespace windlass::server::rest
