// Reviews: who am I, may I. Whoever is authenticated may do everything here, and reviews say so.
#include <nlohmann/json.hpp>

#include "server/rest/body.h"
#include "server/rest/json_access.h"
#include "server/rest/subresources.h"

namespace windlass::server::rest {
namespace {

Json user_info(const Identity& identity) {
  Json info = {{"username", identity.user}, {"groups", Json::array()}};
  for (const auto& group : identity.groups) info["groups"].push_back(group);
  if (!identity.uid.empty()) info["uid"] = identity.uid;
  return info;
}

Json token_status(const Core& core, const Json& spec) {
  Identity identity;
  if (core.options.identity_of_token) {
    identity = core.options.identity_of_token(text_at(spec, "token"));
  }
  if (identity.user.empty()) return {{"authenticated", false}, {"error", "unknown token"}};
  Json status = {{"authenticated", true}, {"user", user_info(identity)}};
  if (at(spec, "audiences").is_array()) status["audiences"] = at(spec, "audiences");
  return status;
}

Json rules_status() {
  Json everything = {{"verbs", {"*"}}, {"apiGroups", {"*"}}, {"resources", {"*"}}};
  Json paths = {{"verbs", {"*"}}, {"nonResourceURLs", {"*"}}};
  return {{"resourceRules", Json::array({everything})},
          {"nonResourceRules", Json::array({paths})},
          {"incomplete", false}};
}

}  // namespace

Outcome<Response> review(const Core& core, const Target& target, const Request& request) {
  if (request.method != "POST") return method_not_allowed();
  auto options = write_options_of(core, target, request);
  if (!options) return options.fault();
  auto object = decode_object(target, request, *options);
  if (!object) return object.fault();
  const std::string& kind = target.resource->kind;
  if (kind == "TokenReview") {
    (*object)["status"] = token_status(core, at(*object, "spec"));
  } else if (kind == "SelfSubjectReview") {
    (*object)["status"] = {{"userInfo", user_info(request.identity)}};
  } else if (kind == "SelfSubjectRulesReview") {
    (*object)["status"] = rules_status();
  } else {
    (*object)["status"] = {{"allowed", true},
                           {"reason", "everybody who is authenticated may do everything here"}};
  }
  Response response;
  response.status = 201;
  add_warnings(options->warnings, response);
  response.body = text_of(*object) + "\n";
  return response;
}

}  // namespace windlass::server::rest
