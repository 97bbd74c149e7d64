// Watches: every change after a version that matches, in order, each rendered once for all watchers
// that see it alike. Bookmarks, streamed lists, time-outs. Internal to this room.
#pragma once

#include <memory>
#include <vector>

#include "server/rest/core.h"
#include "server/rest/selectors.h"
#include "server/rest/view.h"

namespace windlass::server::rest {

struct Watcher {
  Target target;
  Selector selector;
  View view;
  std::shared_ptr<Stream> stream;
  uint64_t seen = 0;  // changes up to this version are sent, or don't match
  bool bookmarks = false;
  bool sent_columns = false;
  Instant ends{};  // wall time
  bool gone = false;
};

// Answers a watch request: opens the stream, or gives the fault.
std::optional<Fault> start_watch(Core& core, const Target& target, const Request& request,
                                 const std::shared_ptr<Exchange>& exchange);

// Sends the changes (in order of version) to all who watch.
void deliver(Core& core, const std::vector<cluster::StoreEvent>& events);

}  // namespace windlass::server::rest
