// For this room's tests: an API that answers what the test says, when it says so. Requests stay
// open until they are answered, ended or cancelled.
#pragma once

#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "live/kube/api.h"

namespace windlass::live::kube {

class FakeApi : public Api {
 public:
  struct Call {
    Request request;
    std::function<void(Reply)> done;
    Stream stream;
    bool is_stream = false;
  };

  Id send(Request request, std::function<void(Reply)> done) override {
    return open_call({std::move(request), std::move(done), {}, false});
  }
  Id stream(Request request, Stream stream) override {
    return open_call({std::move(request), {}, std::move(stream), true});
  }
  void cancel(Id id) override { calls.erase(id); }

  // Called with every new request; the answer has to come later (a timer).
  std::function<void(Id, const Request&)> on_request;
  std::map<Id, Call> calls;      // open
  std::vector<Request> history;  // all

  // The newest open call.
  [[nodiscard]] Id last() const { return calls.empty() ? 0 : calls.rbegin()->first; }
  [[nodiscard]] const Request& request(Id id) const { return calls.at(id).request; }
  [[nodiscard]] std::string query(Id id, std::string_view name) const {
    for (const auto& [key, value] : request(id).query) {
      if (key == name) return value;
    }
    return "-";
  }

  void reply(Id id, Reply reply) {
    const auto found = calls.find(id);
    if (found == calls.end()) return;  // cancelled since
    const Call call = std::move(found->second);
    calls.erase(found);
    call.is_stream ? call.stream.on_end(reply) : call.done(std::move(reply));
  }
  void reply(Id id, int code, std::string body) {
    Reply out;
    out.code = code;
    out.body = std::move(body);
    reply(id, std::move(out));
  }
  void refuse(Id id, int code, std::string reason, std::string message = "") {
    Reply out;
    out.code = code;
    out.reason = std::move(reason);
    out.message = std::move(message);
    reply(id, std::move(out));
  }
  void line(Id id, std::string_view text) {
    const auto found = calls.find(id);
    if (found == calls.end()) throw std::runtime_error("no such stream is open");
    const auto on_line = found->second.stream.on_line;
    // Of exactly its size, so that a read past its end is seen.
    const std::vector<char> exact(text.begin(), text.end());
    on_line({exact.data(), exact.size()});
  }

 private:
  Id open_call(Call call) {
    const Id id = ++made_;
    history.push_back(call.request);
    calls.emplace(id, std::move(call));
    if (on_request) on_request(id, history.back());
    return id;
  }
  Id made_ = 0;
};

}  // namespace windlass::live::kube
