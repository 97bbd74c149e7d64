// The door between the API's documents and the world's typed State. What an API client writes goes
// into the world; what changes in the world is encoded, enriched with what kubelets and controllers
// report, and put into the store; both with the Events a user expects. Writes of clients are taken
// in between two runs of the world, never inside a request.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "cluster/object_store.h"
#include "controllers/action.h"
#include "server/embedded/event_recorder.h"
#include "server/rest/kube_api.h"
#include "sim/world.h"

namespace windlass::server::embedded {

class Bridge {
 public:
  // Follows both; they outlive it.
  Bridge(sim::World& world, cluster::ObjectStore& store, rest::KubeApi& api);

  // A new cluster: everything the world begins with, into the store.
  void mirror_all();
  // What clients wrote since the last call, into the world.
  void take_in();
  // What changed in the world since the last call, into the store.
  void give_out();
  // The kubelets' heartbeats: renews the Lease of every node.
  void renew_leases(Instant now);

  // The world's taps, passed on.
  std::function<void(const cluster::Change&)> on_change;
  std::function<void(std::string_view controller, const controllers::Decision&)> on_decision;
  // Told of every object a client wrote (decoded) or removed, after the world was.
  std::function<void(const api::Object&)> on_client_write;
  std::function<void(cluster::Kind, const std::string& key)> on_client_remove;

 private:
  struct PodMarks {  // what was said of a pod so far
    bool bound = false;
    bool running = false;
    bool ready = false;
    bool deleted = false;
    std::string unschedulable;
  };
  void take_in(const cluster::StoreEvent& event);
  void give_out(cluster::Kind kind, const std::string& key);
  void enrich(const api::Object& object, Json& out) const;
  void ensure_namespace(const std::string& name);
  void tell(std::string_view controller, const controllers::Decision& decision);
  void tell_pod(const std::string& key, const api::Pod* pod);
  [[nodiscard]] bool is_clients(cluster::Kind kind) const;
  void tell_node(const std::string& name, const api::Node* node);
  [[nodiscard]] Involved involved_of(std::string_view kind, std::string_view key) const;
  void requeue_starting();

  sim::World& world_;
  cluster::ObjectStore& store_;
  rest::KubeApi& api_;
  EventRecorder events_;
  std::set<std::pair<cluster::Kind, std::string>> dirty_;
  std::deque<cluster::StoreEvent> inbox_;
  bool giving_out_ = false;
  std::map<std::string, PodMarks> pods_;
  std::set<std::string> nodes_ready_;
  std::set<std::string> namespaces_;
  // Pods whose image is being pulled: shown anew when it is there.
  std::set<std::pair<Instant, std::string>> pulling_;
};

}  // namespace windlass::server::embedded
