// TriggerAuthentication and ClusterTriggerAuthentication of keda.sh/v1alpha1 (reference
// keda_hpa.md 1.10): where triggers' credentials come from. The credentials are never read here.
#include <nlohmann/json.hpp>

#include "api/decode.h"

namespace windlass::api {
namespace {

void read_sources(const Reader& list, AuthSource::Kind kind, TriggerAuthentication& out) {
  for (Reader item : list.items()) {
    AuthSource source;
    source.kind = kind;
    source.parameter = item.at("parameter").required_string();
    source.name = item.at("name").required_string();
    if (kind == AuthSource::Kind::kEnv) {
      source.container = item.at("containerName").string().value_or("");
    } else {
      source.key = item.at("key").required_string();
    }
    item.warn_unknown_keys();
    out.sources.push_back(std::move(source));
  }
}

TriggerAuthentication read_with_scope(Reader root, Scope scope) {
  TriggerAuthentication out;
  out.meta = read_meta(root.required("metadata"), scope);
  Reader spec = root.required("spec");
  read_sources(spec.at("secretTargetRef"), AuthSource::Kind::kSecret, out);
  read_sources(spec.at("configMapTargetRef"), AuthSource::Kind::kConfigMap, out);
  read_sources(spec.at("env"), AuthSource::Kind::kEnv, out);
  for (const char* other :
       {"podIdentity", "filePath", "hashiCorpVault", "azureKeyVault", "gcpSecretManager",
        "awsSecretManager", "boundServiceAccountToken", "oauth2"}) {
    if (!spec.has(other)) continue;
    spec.at(other).warning("is kept but not followed: its parameters stay unset");
    out.unread_sources.emplace_back(other);
  }
  spec.allow({"podIdentity", "filePath", "hashiCorpVault", "azureKeyVault", "gcpSecretManager",
              "awsSecretManager", "boundServiceAccountToken", "oauth2"});
  spec.warn_unknown_keys();
  root.allow({"apiVersion", "kind", "status"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace

TriggerAuthentication read_trigger_authentication(Reader root) {
  return read_with_scope(std::move(root), Scope::kNamespaced);
}

TriggerAuthentication read_cluster_trigger_authentication(Reader root) {
  return read_with_scope(std::move(root), Scope::kCluster);
}

}  // namespace windlass::api
