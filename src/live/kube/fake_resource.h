// For this room's tests: one resource of an API server with its history, that lists in pages,
// watches, compacts, is restored to an older state, and whose network breaks; all from a seed.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/rng.h"
#include "live/kube/api.h"
#include "live/kube/watcher.h"
#include "net/virtual_clock.h"

namespace windlass::live::kube {

class FakeResource : public Api {
 public:
  // How the server takes sendInitialEvents.
  enum class WatchList { kServed, kRefused422, kError500, kIgnored };
  struct Faults {
    double refuse = 0;  // of requests, with any code
    double lose = 0;    // of requests, without an answer
    double cut = 0;     // of a stream's turns: it breaks off
    double hush = 0;    // of a stream's turns: nothing comes any more
    double garble = 0;  // of a stream's turns: a line that is none
    double error = 0;   // of a stream's turns: an ERROR event that says nothing of the version
  };
  using Objects = std::map<std::string, Seen, std::less<>>;

  FakeResource(net::VirtualClock& clock, uint64_t seed, WatchList watch_list)
      : watch_list_(watch_list), clock_(clock), rng_(seed, "resource") {}

  Faults faults;
  Objects objects;
  bool exists = true;  // false: 404
  uint64_t version = 1000;

  // --- what happens in the store -----------------------------------------------------------------

  void change() {
    const std::string key = fmt::format("ns{}/o{}", rng_.below(3), rng_.below(12));
    const auto found = objects.find(key);
    ++version;
    if (found != objects.end() && rng_.below(3) == 0) {
      history_.push_back({version, "DELETED", key, {found->second.uid, std::to_string(version)}});
      objects.erase(found);
      return;
    }
    const bool is_new = found == objects.end();
    Seen& object = objects[key];
    if (is_new) object.uid = fmt::format("uid{}", ++made_uids_);
    object.resource_version = std::to_string(version);
    history_.push_back({version, is_new ? "ADDED" : "MODIFIED", key, object});
  }
  void compact() {
    history_.clear();
    compacted_ = version;
  }
  // An older backup; the server starts anew, so that streams end.
  void restore() {
    version -= 40;
    compacted_ = version;
    history_.clear();
    snapshots_.clear();
    if (!objects.empty()) objects.erase(objects.begin());
    for (auto& [key, object] : objects) object.resource_version = std::to_string(version - 5);
    for (auto& [id, open] : streams_) open.cut = true;
  }

  // --- the Api -----------------------------------------------------------------------------------

  Id send(Request request, std::function<void(Reply)> done) override {
    const Id id = ++made_;
    requests_[id] = std::move(done);
    if (rng_.uniform() < faults.lose) {
      clock_.after(request.timeout, [this, id] { deliver(id, answer(0, "")); });
      return id;
    }
    clock_.after(way(), [this, id, request = std::move(request)] {
      Reply reply = rng_.uniform() < faults.refuse ? refusal() : list(request);
      clock_.after(way(), [this, id, reply = std::move(reply)] { deliver(id, reply); });
    });
    return id;
  }
  Id stream(Request request, Stream stream) override {
    const Id id = ++made_;
    streams_[id].handlers = std::move(stream);
    clock_.after(way(), [this, id, request = std::move(request)] { begin(id, request); });
    return id;
  }
  void cancel(Id id) override {
    requests_.erase(id);
    streams_.erase(id);
  }
  [[nodiscard]] size_t open() const { return requests_.size() + streams_.size(); }

 private:
  struct Event {
    uint64_t version;
    std::string type, key;
    Seen object;
  };
  struct Open {
    Stream handlers;
    uint64_t cursor = 0;
    Duration end{};
    Duration bookmarked{};
    bool hushed = false, cut = false;
  };

  Duration way() { return milliseconds(1 + static_cast<int64_t>(rng_.below(300))); }

  static std::string query(const Request& request, std::string_view name) {
    for (const auto& [key, value] : request.query) {
      if (key == name) return value;
    }
    return "";
  }
  static std::string json_of(const std::string& key, const Seen& object) {
    const size_t slash = key.find('/');
    return fmt::format(
        R"({{"spec":{{"a":[1,{{}}]}},"metadata":{{"namespace":"{}","name":"{}","uid":"{}","labels":{{"metadata":"x"}},"resourceVersion":"{}"}}}})",
        key.substr(0, slash), key.substr(slash + 1), object.uid, object.resource_version);
  }
  static std::string line_of(std::string_view type, const std::string& object) {
    return fmt::format(R"({{"type":"{}","object":{}}})", type, object);
  }
  static std::string status(int code, std::string_view reason) {
    return fmt::format(R"({{"kind":"Status","message":"m","reason":"{}","code":{}}})", reason,
                       code);
  }
  static Reply answer(int code, std::string reason) {
    Reply out;
    out.code = code;
    out.reason = std::move(reason);
    return out;
  }
  Reply refusal() {
    static const std::vector<int> kCodes{0, 401, 403, 429, 500, 502, 503, 504};
    return answer(kCodes[rng_.below(kCodes.size())], "");
  }

  void deliver(Id id, const Reply& reply) {
    const auto found = requests_.find(id);
    if (found == requests_.end()) return;
    const auto then = std::move(found->second);
    requests_.erase(found);
    then(reply);
  }

  // Pages are of the state at the first; a token dies with its version.
  Reply list(const Request& request) {
    if (!exists) return answer(404, "NotFound");
    uint64_t at = version;
    std::string from;
    if (const std::string token = query(request, "continue"); !token.empty()) {
      at = std::stoull(token);
      from = token.substr(token.find(' ') + 1);
      if (at < compacted_ || !snapshots_.contains(at)) return answer(410, "Expired");
    } else {
      snapshots_[at] = objects;
    }
    const std::string limit_text = query(request, "limit");
    const size_t limit = limit_text.empty() ? SIZE_MAX : std::stoull(limit_text);
    std::string items;
    std::string token;
    size_t count = 0;
    const Objects& all = snapshots_[at];
    for (auto object = all.lower_bound(from); object != all.end(); ++object) {
      if (count++ == limit) {
        token = fmt::format("{} {}", at, object->first);
        break;
      }
      items += (items.empty() ? "" : ",") + json_of(object->first, object->second);
    }
    Reply out;
    out.code = 200;
    out.body = fmt::format(
        R"({{"kind":"List","items":[{}],"metadata":{{"continue":"{}","resourceVersion":"{}"}}}})",
        items, token, at);
    return out;
  }

  void begin(Id id, const Request& request) {
    if (!streams_.contains(id)) return;
    if (rng_.uniform() < faults.lose) return;
    if (rng_.uniform() < faults.refuse) return finish(id, refusal());
    if (!exists) return finish(id, answer(404, "NotFound"));
    const bool with_list = query(request, "sendInitialEvents") == "true";
    const std::string from = query(request, "resourceVersion");
    if (with_list && watch_list_ == WatchList::kRefused422) {
      return finish(id, answer(422, "Invalid"));
    }
    if (with_list && watch_list_ == WatchList::kError500) {
      if (say(id, line_of("ERROR", status(500, "InternalError")))) finish(id, answer(200, ""));
      return;
    }
    streams_[id].end = clock_.steady() + seconds(std::stoll(query(request, "timeoutSeconds")));
    streams_[id].bookmarked = clock_.steady();
    if (from.empty()) {
      const uint64_t at = version;
      for (const auto& [key, object] : Objects(objects)) {
        if (!say(id, line_of("ADDED", json_of(key, object)))) return;
      }
      if (with_list && watch_list_ == WatchList::kServed && !bookmark(id, at, true)) return;
      streams_[id].cursor = at;
    } else {
      streams_[id].cursor = std::stoull(from);
      if (streams_[id].cursor > version) {
        Reply too_new = answer(504, "Timeout");
        too_new.causes = {{"ResourceVersionTooLarge", "", "Too large resource version"}};
        return finish(id, too_new);
      }
    }
    turn(id);
  }

  bool say(Id id, const std::string& line) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return false;
    const auto on_line = found->second.handlers.on_line;
    on_line(line);
    return streams_.contains(id);
  }
  bool bookmark(Id id, uint64_t at, bool ends_list) {
    return say(
        id, line_of("BOOKMARK",
                    fmt::format(
                        R"({{"metadata":{{"resourceVersion":"{}"{}}}}})", at,
                        ends_list ? R"(,"annotations":{"x":"y","k8s.io/initial-events-end":"true"})"
                                  : "")));
  }
  void finish(Id id, const Reply& reply) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    const auto on_end = found->second.handlers.on_end;
    streams_.erase(found);
    on_end(reply);
  }

  // Each stream's turn: what is new since the last, and what goes wrong.
  void turn(Id id) {
    const auto found = streams_.find(id);
    if (found == streams_.end()) return;
    Open& open = found->second;
    if (open.cut || rng_.uniform() < faults.cut) return finish(id, answer(0, ""));
    if (rng_.uniform() < faults.hush) open.hushed = true;
    if (!open.hushed && !speak(id, open)) return;
    clock_.after(milliseconds(200 + static_cast<int64_t>(rng_.below(3000))),
                 [this, id] { turn(id); });
  }

  // Returns whether the stream goes on.
  bool speak(Id id, Open& open) {
    if (rng_.uniform() < faults.garble) return say(id, R"({"type":"ADDED","object":{"kind")");
    if (rng_.uniform() < faults.error) {
      return say(id, line_of("ERROR", status(500, "InternalError")));
    }
    if (clock_.steady() >= open.end) {
      finish(id, answer(200, ""));
      return false;
    }
    if (open.cursor < compacted_) return say(id, line_of("ERROR", status(410, "Expired")));
    const std::deque<Event> events = history_;
    for (const Event& event : events) {
      if (event.version <= open.cursor) continue;
      open.cursor = event.version;
      if (!say(id, line_of(event.type, json_of(event.key, event.object)))) return false;
    }
    open.cursor = version;
    if (clock_.steady() - open.bookmarked < minutes(1)) return true;
    open.bookmarked = clock_.steady();
    return bookmark(id, version, false);
  }

  const WatchList watch_list_;
  net::VirtualClock& clock_;
  Rng rng_;
  std::deque<Event> history_;
  uint64_t compacted_ = 0;
  uint64_t made_uids_ = 0;
  std::map<uint64_t, Objects> snapshots_;
  std::map<Id, std::function<void(Reply)>> requests_;
  std::map<Id, Open> streams_;
  Id made_ = 0;
};

}  // namespace windlass::live::kube
