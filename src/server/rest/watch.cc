#include "server/rest/watch.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/read.h"

namespace windlass::server::rest {
namespace {

constexpr Duration kBookmarkPeriod = seconds(60);
// Kubernetes' --min-request-timeout; its servers end a watch without a time-out after 1 to 2 of it.
constexpr int64_t kDefaultTimeoutSeconds = 1800;
constexpr uint64_t kMaxTimeoutSeconds = 24 * 3600;

// One change as one kind of watcher sees it.
struct Seen {
  std::string_view type;  // empty: not at all
  bool left = false;      // it left the selector
};

// The document with another resourceVersion: an object that leaves a selector is shown as it was
// when it last matched, deleted at the version of the change.
cluster::DocumentPtr at_version(const cluster::Document& document, uint64_t version) {
  auto copy = std::make_shared<cluster::Document>(document);
  Json object = json_of(document);
  object["metadata"]["resourceVersion"] = std::to_string(version);
  copy->json = text_of(object);
  copy->resource_version = version;
  return copy;
}

Seen seen_by(const Watcher& watcher, const cluster::StoreEvent& event) {
  const auto& key = event.object->key;
  const std::string& in = watcher.target.namespace_name;
  if (!in.empty() && key.namespace_name != in) return {};
  if (!watcher.target.name.empty() && key.name != watcher.target.name) return {};
  const bool is_deleted = event.type == cluster::EventType::kDeleted;
  const bool now = !is_deleted && watcher.selector.matches(*event.object);
  const bool before = event.before != nullptr && watcher.selector.matches(*event.before);
  if (now) return {before ? "MODIFIED" : "ADDED"};
  if (!before) return {};
  return {"DELETED", !is_deleted};
}

// What was rendered of one event, by who can share it.
class Rendered {
 public:
  Piece of(const Core& core, const Watcher& watcher, const cluster::StoreEvent& event,
           const Seen& seen, bool with_columns) {
    for (const auto& each : pieces_) {
      if (each.type == seen.type && each.view == watcher.view &&
          each.version == watcher.target.version && each.with_columns == with_columns) {
        return each.piece;
      }
    }
    const auto document =
        seen.left ? at_version(*event.before, event.resource_version) : event.object;
    Piece piece =
        render_event(core, watcher.target, watcher.view, seen.type, document, with_columns);
    pieces_.push_back({seen.type, watcher.view, watcher.target.version, with_columns, piece});
    return piece;
  }

 private:
  struct One {
    std::string_view type;
    View view;
    const Version* version;
    bool with_columns;
    Piece piece;
  };
  std::vector<One> pieces_;
};

void send(Watcher& watcher, Piece piece) {
  if (!watcher.stream->send(std::move(piece))) watcher.gone = true;
}

void send_event(const Core& core, Watcher& watcher, const cluster::StoreEvent& event,
                Rendered& rendered) {
  if (event.resource_version <= watcher.seen || watcher.gone) return;
  watcher.seen = event.resource_version;
  const Seen seen = seen_by(watcher, event);
  if (seen.type.empty()) return;
  const bool with_columns = watcher.view.form == Form::kTable && !watcher.sent_columns;
  watcher.sent_columns = true;
  send(watcher, rendered.of(core, watcher, event, seen, with_columns));
}

void send_fault(Watcher& watcher, const Fault& fault) {
  const Json event = {{"type", "ERROR"}, {"object", status_of(fault)}};
  send(watcher, std::make_shared<const std::string>(text_of(event) + "\n"));
}

// Everything there is, as ADDED.
void send_state(const Core& core, Watcher& watcher) {
  Target collection = watcher.target;
  collection.name.clear();
  for (const auto& document : matching(core, collection, watcher.selector)) {
    if (!watcher.target.name.empty() && document->key.name != watcher.target.name) continue;
    const bool with_columns = watcher.view.form == Form::kTable && !watcher.sent_columns;
    watcher.sent_columns = true;
    send(watcher,
         render_event(core, watcher.target, watcher.view, "ADDED", document, with_columns));
  }
}

// Bookmarks a watcher when a period has passed and ends it in time. Timers outlive neither: the
// weak pointer fails once the watcher is gone, and the core goes after all watchers.
void schedule(Core& core, const std::shared_ptr<Watcher>& watcher) {
  if (!core.options.after) return;
  const Duration left = watcher->ends - core.wall_now();
  const Duration delay = std::max(std::min(left, kBookmarkPeriod), milliseconds(1));
  core.options.after(delay, [&core, weak = std::weak_ptr<Watcher>(watcher)] {
    const auto self = weak.lock();
    if (self == nullptr || self->gone) return;
    if (self->bookmarks) {
      // Changes that still wait for the journal are not covered; what was said before stays said.
      if (core.pending.empty()) self->seen = std::max(self->seen, core.store.resource_version());
      send(*self, render_bookmark(self->target, self->view, self->seen, false));
    }
    if (core.wall_now() >= self->ends) {
      self->gone = true;
      self->stream->close();
      return;
    }
    schedule(core, self);
  });
}

struct Start {
  std::optional<uint64_t> version;
  bool initial_events = false;  // streamed list
  bool no_state = false;        // from now on, without what is there
};

Outcome<Start> start_of(const Core& core, const Request& request) {
  Start start;
  const auto version = number_parameter(request, "resourceVersion");
  if (!version) return version.fault();
  start.version = *version;
  const std::string match = request.parameter("resourceVersionMatch").value_or("");
  const bool has_send = request.parameter("sendInitialEvents").has_value();
  start.initial_events = request.flag("sendInitialEvents");
  start.no_state = has_send && !start.initial_events;
  std::vector<schema::FieldFault> faults;
  if (has_send && match.empty()) {
    faults.push_back({"FieldValueForbidden", "resourceVersionMatch",
                      "Forbidden: sendInitialEvents requires setting resourceVersionMatch to "
                      "NotOlderThan"});
  } else if (!match.empty() && !has_send) {
    faults.push_back({"FieldValueForbidden", "resourceVersionMatch",
                      "Forbidden: resourceVersionMatch is forbidden for watch unless "
                      "sendInitialEvents is provided"});
  } else if (!match.empty() && match != "NotOlderThan") {
    faults.push_back(
        {"FieldValueNotSupported", "resourceVersionMatch",
         fmt::format("Unsupported value: \"{}\": supported values: \"NotOlderThan\"", match)});
  }
  if (!faults.empty()) return invalid("meta.k8s.io", "ListOptions", "", faults);
  const uint64_t current = core.store.resource_version();
  if (start.version.value_or(0) > current) return version_too_large(*start.version, current);
  return start;
}

// What the stream begins with: the state, or the past since the asked version.
void send_beginning(const Core& core, Watcher& watcher, const Start& start) {
  const uint64_t current = core.store.resource_version();
  if (start.initial_events || start.version.value_or(0) == 0) {
    if (!start.no_state) send_state(core, watcher);
    watcher.seen = current;
    if (start.initial_events && watcher.bookmarks) {
      send(watcher, render_bookmark(watcher.target, watcher.view, current, true));
    }
    return;
  }
  const auto past = core.store.since(watcher.target.resource->store_name, *start.version);
  if (!past) {
    send_fault(watcher,
               expired(fmt::format("too old resource version: {} ({})", *start.version, current)));
    watcher.stream->close();
    watcher.gone = true;
    return;
  }
  watcher.seen = *start.version;
  for (const auto& event : *past) {
    Rendered rendered;
    send_event(core, watcher, event, rendered);
  }
  watcher.seen = current;
}

void forget_gone(Core& core, std::vector<std::shared_ptr<Watcher>>& watchers) {
  const auto gone = std::remove_if(watchers.begin(), watchers.end(),
                                   [](const auto& watcher) { return watcher->gone; });
  core.watcher_count -= static_cast<size_t>(watchers.end() - gone);
  watchers.erase(gone, watchers.end());
}

}  // namespace

std::optional<Fault> start_watch(Core& core, const Target& target, const Request& request,
                                 const std::shared_ptr<Exchange>& exchange) {
  const auto view = view_of(request);
  if (!view) return view.fault();
  const auto selector = selector_of(request, *target.resource);
  if (!selector) return selector.fault();
  const auto start = start_of(core, request);
  if (!start) return start.fault();
  const auto timeout = number_parameter(request, "timeoutSeconds");
  if (!timeout) return timeout.fault();

  auto watcher = std::make_shared<Watcher>();
  watcher->target = target;
  watcher->selector = *selector;
  watcher->view = *view;
  watcher->bookmarks = request.flag("allowWatchBookmarks");
  uint64_t seconds_left = timeout->value_or(0);
  if (seconds_left == 0) {
    // Spread, so that clients that came together don't come again together.
    seconds_left = kDefaultTimeoutSeconds + core.watcher_count * 37 % kDefaultTimeoutSeconds;
  }
  watcher->ends =
      core.wall_now() + seconds(static_cast<int64_t>(std::min(seconds_left, kMaxTimeoutSeconds)));
  watcher->stream = exchange->open_stream(200, "application/json");
  if (watcher->stream == nullptr) return std::nullopt;  // the peer is gone
  watcher->stream->on_closed = [weak = std::weak_ptr<Watcher>(watcher)] {
    if (const auto self = weak.lock()) self->gone = true;
  };
  send_beginning(core, *watcher, *start);
  if (watcher->gone) return std::nullopt;
  auto& watchers = core.watchers[target.resource->store_name];
  forget_gone(core, watchers);
  watchers.push_back(watcher);
  ++core.watcher_count;
  schedule(core, watcher);
  return std::nullopt;
}

void deliver(Core& core, const std::vector<cluster::StoreEvent>& events) {
  for (const auto& event : events) {
    const auto found = core.watchers.find(event.object->key.resource);
    if (found == core.watchers.end()) continue;
    Rendered rendered;
    for (const auto& watcher : found->second) send_event(core, *watcher, event, rendered);
  }
  for (auto each = core.watchers.begin(); each != core.watchers.end();) {
    forget_gone(core, each->second);
    each = each->second.empty() ? core.watchers.erase(each) : std::next(each);
  }
}

}  // namespace windlass::server::rest
