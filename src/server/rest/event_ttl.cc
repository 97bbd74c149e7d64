#include "server/rest/event_ttl.h"

namespace windlass::server::rest {
namespace {

constexpr Duration kLife = hours(1);

}  // namespace

void see_event(Core& core, const cluster::StoreEvent& event) {
  if (event.object->key.resource != "events") return;
  if (event.type == cluster::EventType::kDeleted) return;
  core.written_events.push_back({event.object->key, event.object->resource_version, core.now()});
}

void expire_events(Core& core) {
  const Instant now = core.now();
  while (!core.written_events.empty() && core.written_events.front().at + kLife <= now) {
    const Core::WrittenEvent written = std::move(core.written_events.front());
    core.written_events.pop_front();
    // Written again since: a later entry stands for it.
    const auto document = core.store.find(written.key);
    if (document != nullptr && document->resource_version == written.resource_version) {
      core.store.remove(written.key);
    }
  }
}

}  // namespace windlass::server::rest
