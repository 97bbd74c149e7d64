#include "live/kube/exec_credential.h"

#include <nlohmann/json.hpp>

#include "base/json.h"

namespace windlass::live::kube {

namespace {

// Absent and null are the same; nullopt: it is something else than text.
std::optional<std::string> field_text(const Json& object, const char* key) {
  const auto found = object.find(key);
  if (found == object.end() || found->is_null()) return std::string();
  if (!found->is_string()) return std::nullopt;
  return found->get<std::string>();
}

Result<ExecCredential> read_exec_status(const Json& status) {
  ExecCredential out;
  struct Field {
    const char* name;
    std::string& place;
  };
  std::string expires;
  for (const auto& [name, place] :
       {Field{"token", out.token}, Field{"clientCertificateData", out.certificate},
        Field{"clientKeyData", out.key}, Field{"expirationTimestamp", expires}}) {
    std::optional<std::string> text = field_text(status, name);
    if (!text) return Error(std::string("status.") + name + ": must be a string");
    place = std::move(*text);
  }
  if (out.certificate.empty() != out.key.empty()) {
    return Error("status: clientCertificateData and clientKeyData go together");
  }
  if (out.token.empty() && out.certificate.empty()) {
    return Error("status: holds neither a token nor a client certificate");
  }
  if (!expires.empty()) {
    const Result<Instant> when = parse_rfc3339(expires);
    if (!when) return Error("status.expirationTimestamp: is no RFC 3339 time");
    out.expires = *when;
  }
  return out;
}

}  // namespace

std::string exec_info(const ExecPlugin& plugin) {
  Json info = {{"apiVersion", plugin.api_version},
               {"kind", "ExecCredential"},
               {"spec", {{"interactive", false}}}};
  if (plugin.provide_cluster_info) {
    const Result<Json> cluster = parse_json(plugin.cluster_info);
    if (cluster.ok()) info["spec"]["cluster"] = *cluster;
  }
  return info.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<ExecCredential> read_exec_credential(const ExecPlugin& plugin, std::string_view output) {
  const Result<Json> document = parse_json(output);
  if (!document.ok() || !document->is_object()) return Error("its output is no JSON object");
  if (field_text(*document, "kind") != "ExecCredential") return Error("kind: not ExecCredential");
  if (field_text(*document, "apiVersion") != plugin.api_version) {
    return Error("apiVersion: not " + plugin.api_version + " as the kubeconfig says");
  }
  const auto status = document->find("status");
  if (status == document->end() || !status->is_object()) return Error("status: is missing");
  return read_exec_status(*status);
}

}  // namespace windlass::live::kube
