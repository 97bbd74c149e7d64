// The Kubernetes API over an ObjectStore: discovery, verbs, watches, selectors, tables,
// subresources, deletion with finalizers and owners, CRDs. No sockets, no clock of its own: a
// request and the simulated time come in, a reply or a stream goes out. One thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cluster/object_store.h"
#include "server/http/exchange.h"
#include "server/schema/schema.h"

namespace windlass::server::rest {

struct ApiOptions {
  std::string version = "v1.34.0+windlass";  // gitVersion of /version
  // The time objects are stamped with (simulated), and the wall's for streams' own timers.
  std::function<Instant()> now;
  std::function<Instant()> wall_now;
  // Runs `work` once after the delay of wall time (watch bookmarks and time-outs).
  std::function<void(Duration, std::function<void()>)> after;
  // Extra checks of a write: what Windlass can't read is refused (422). Empty: accepted.
  std::function<std::vector<schema::FieldFault>(const Json& object)> admit;
  // A custom object written in another version than its CRD stores, as the stored version has it
  // (karpenter v1beta1). Empty: versions differ by name alone.
  std::function<Result<Json>(const Json& object)> convert;
  // Who a bearer token stands for (TokenReview); an empty user: nobody. Empty: no token is known.
  std::function<Identity(const std::string& token)> identity_of_token;
  // Issues a bearer token for the service account of this uid (TokenRequest) valid until `expires`.
  std::function<std::string(const std::string& user, const std::string& uid, Instant expires)>
      issue_token;
  // Asked for every deletion that would take the object away at once although someone (a kubelet)
  // must end it first: true keeps it with deletionTimestamp set (bound pods).
  std::function<bool(const cluster::ObjectKey&, const Json& object)> ends_gracefully;
  uint64_t seed = 1;  // of uids and generated names
};

class KubeApi {
 public:
  KubeApi(cluster::ObjectStore& store, ApiOptions options);
  ~KubeApi();

  // Construct the API before the store is restored (it says which fields documents are selected
  // by), then call this: it learns of the restored CRDs and objects, and creates what a new cluster
  // has, where absent: namespaces default, kube-system, kube-public, kube-node-lease with their
  // service accounts, Service kubernetes, priority classes system-*-critical, a storage class,
  // built-in CRDs, cluster roles.
  void bootstrap();

  // Answers everything under /api, /apis, /openapi, /version, /healthz, /livez, /readyz. The caller
  // has authenticated; an anonymous identity gets 401 but for health and version.
  void handle(const Request& request, const std::shared_ptr<Exchange>& exchange);

  // Changes made beside the API (the world's), as a controller of that name would make them through
  // it: no admission, no defaulting, uid and creationTimestamp kept or made. An unchanged object is
  // not written. Objects with managedFields keep track of `manager`.
  void put_from_world(const cluster::ObjectKey& key, Json object, std::string_view manager);
  // Takes the object away at once (what it owns goes with it).
  void remove_from_world(const cluster::ObjectKey& key);

  // "pods" for ("", "Pod"), "nodepools.karpenter.sh" for ("karpenter.sh", "NodePool"); nullopt for
  // kinds not served.
  [[nodiscard]] std::optional<std::string> resource_of(std::string_view group,
                                                       std::string_view kind) const;

  // Sends what the journal has committed: replies of writes and watch events wait until then.
  // `flush` is called once a turn of the loop, after the journal's transaction.
  void flush();
  [[nodiscard]] size_t watchers() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace windlass::server::rest
