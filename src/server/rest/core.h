// What all parts of this room share: the store, the options, the registry, who owns whom, and what
// waits for the journal. Internal to this room.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "server/rest/kube_api.h"
#include "server/rest/ownership.h"
#include "server/rest/registry.h"
#include "server/rest/request_path.h"
#include "server/rest/status_errors.h"

namespace windlass::server::rest {

struct Watcher;

// Documents that were rendered or derived once and are good until the registry changes.
struct DiscoveryCache {
  uint64_t generation = 0;
  std::map<std::string, std::shared_ptr<const std::string>> texts;
};

struct Core {
  Core(cluster::ObjectStore& the_store, ApiOptions the_options)
      : store(the_store), options(std::move(the_options)) {}

  cluster::ObjectStore& store;
  ApiOptions options;
  Registry registry;
  Ownership ownership;
  DiscoveryCache cache;

  // Changes since the last flush, and answers that wait for it.
  std::vector<cluster::StoreEvent> pending;
  std::vector<std::function<void()>> deferred;

  std::map<std::string, std::vector<std::shared_ptr<Watcher>>, std::less<>> watchers;
  size_t watcher_count = 0;

  // Events in the order of their last write, for their time to live.
  struct WrittenEvent {
    cluster::ObjectKey key;
    uint64_t resource_version;
    Instant at;
  };
  std::deque<WrittenEvent> written_events;

  uint64_t names_made = 0;
  bool collecting = false;  // garbage collection is under way
  std::deque<cluster::StoreEvent>
      deleted;                         // whose dependents, namespace or CRD are to be looked at
  std::deque<std::string> foreground;  // uids of owners whose dependents are to be deleted
  std::set<std::string> changed_terminating;  // terminating namespaces written since
  std::set<std::string> terminating;          // namespaces that empty
  std::set<std::string> terminating_crds;     // store names of resources that empty

  [[nodiscard]] Instant now() const { return options.now ? options.now() : Instant{}; }
  [[nodiscard]] Instant wall_now() const {
    return options.wall_now ? options.wall_now() : Instant{};
  }
  // Answers now, or after the flush while changes wait for the journal: nobody sees what a power
  // cut could still take back.
  void answer(std::function<void()> work) {
    if (pending.empty()) {
      work();
    } else {
      deferred.push_back(std::move(work));
    }
  }
};

// One request's object or collection.
struct Target {
  ResourcePtr resource;
  const Version* version = nullptr;  // of resource, as asked for
  std::string namespace_name;        // empty: cluster-scoped, or all namespaces
  std::string name;                  // empty: the collection
  std::string subresource;

  [[nodiscard]] cluster::ObjectKey key() const {
    return {resource->store_name, namespace_name, name};
  }
  [[nodiscard]] Subject subject() const { return {resource->group, resource->plural, name}; }
  [[nodiscard]] std::string api_version() const {
    return rest::api_version(resource->group, version->name);
  }
};

// The stored object as JSON; null JSON if the text can't be read (it always can).
Json json_of(const cluster::Document& document);

}  // namespace windlass::server::rest
