// An exchange without a network, for the tests of this directory: keeps the answer and what a
// stream was sent.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/exchange.h"

namespace windlass::server::observe {

class FakeStream : public Stream {
 public:
  bool send(std::shared_ptr<const std::string> piece) override {
    if (closed_) return false;
    pieces.push_back(*piece);
    return true;
  }
  [[nodiscard]] size_t unsent() const override { return lag; }
  [[nodiscard]] bool closed() const override { return closed_; }
  void close() override { closed_ = true; }
  void abort() override { closed_ = aborted = true; }

  std::vector<std::string> pieces;
  size_t lag = 0;
  bool aborted = false;

 private:
  bool closed_ = false;
};

class FakeExchange : public Exchange {
 public:
  void reply(Response given) override { response = std::move(given); }
  std::shared_ptr<Stream> open_stream(int status, std::string content_type) override {
    response = Response{};
    response->status = status;
    response->content_type = std::move(content_type);
    stream = std::make_shared<FakeStream>();
    return stream;
  }

  std::optional<Response> response;
  std::shared_ptr<FakeStream> stream;
};

// "GET /a/b?x=1&y=2": names and values as they are.
inline Request request_of(std::string_view line) {
  Request request;
  const size_t space = line.find(' ');
  request.method = line.substr(0, space);
  const std::string_view target = line.substr(space + 1);
  const size_t mark = target.find('?');
  request.path = target.substr(0, mark);
  std::string_view rest = mark == std::string_view::npos ? "" : target.substr(mark + 1);
  while (!rest.empty()) {
    const size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const size_t equals = pair.find('=');
    request.query.emplace_back(pair.substr(0, equals), pair.substr(equals + 1));
    rest = end == std::string_view::npos ? "" : rest.substr(end + 1);
  }
  return request;
}

}  // namespace windlass::server::observe
