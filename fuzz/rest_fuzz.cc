// Any request to the API: never a crash, always one answer, and the store stays readable. An input
// is up to eight requests, each "METHOD\npath?query\ncontent-type\nbody\n\0".
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "server/rest/kube_api.h"

namespace {

using namespace windlass;
using namespace windlass::server;

struct CountingStream : Stream {
  bool send(std::shared_ptr<const std::string> piece) override {
    WL_ASSERT(Json::accept(*piece));
    return !is_closed;
  }
  [[nodiscard]] size_t unsent() const override { return 0; }
  [[nodiscard]] bool closed() const override { return is_closed; }
  void close() override { is_closed = true; }
  void abort() override { is_closed = true; }
  bool is_closed = false;
};

struct OneAnswer : Exchange {
  void reply(Response response) override {
    WL_ASSERT(answers++ == 0);
    WL_ASSERT(response.status >= 200 && response.status < 600);
    std::string text = response.body;
    for (const auto& part : response.parts) text += *part;
    if (response.content_type == "application/json") WL_ASSERT(Json::accept(text));
  }
  std::shared_ptr<Stream> open_stream(int, std::string) override {
    WL_ASSERT(answers++ == 0);
    stream = std::make_shared<CountingStream>();
    return stream;
  }
  int answers = 0;
  std::shared_ptr<CountingStream> stream;
};

struct World {
  World() : api(store, options()) {
    api.bootstrap();
    api.flush();
  }
  static rest::ApiOptions options() {
    rest::ApiOptions options;
    options.now = [] { return Instant{1'772'323'200'000'000'000}; };
    options.wall_now = [] { return Instant{}; };
    return options;
  }
  cluster::ObjectStore store{1000, 4 << 20};
  rest::KubeApi api;
};

std::string_view take(std::string_view& text, char stop) {
  const size_t end = std::min(text.find(stop), text.size());
  const std::string_view taken = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return taken;
}

Request request_of(std::string_view text) {
  Request request;
  request.identity.user = "fuzzer";
  request.method = take(text, '\n');
  std::string_view target = take(text, '\n');
  request.path = take(target, '?');
  while (!target.empty()) {
    std::string_view pair = take(target, '&');
    std::string name(take(pair, '='));
    request.query.emplace_back(std::move(name), std::string(pair));
  }
  const std::string type(take(text, '\n'));
  request.headers = {{"content-type", type}};
  if (type.find("as=") != std::string::npos) request.headers.emplace_back("accept", type);
  request.body = text;
  return request;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static std::unique_ptr<World> world;
  static int used = 0;
  // A new cluster now and then: what one input leaves behind helps the next, but not for ever.
  if (world == nullptr || ++used % 256 == 0) world = std::make_unique<World>();
  std::string_view all(reinterpret_cast<const char*>(data), size);
  for (int i = 0; i < 8 && !all.empty(); ++i) {
    const Request request = request_of(take(all, '\0'));
    auto exchange = std::make_shared<OneAnswer>();
    world->api.handle(request, exchange);
    world->api.flush();
    WL_ASSERT(exchange->answers == 1);
    if (exchange->stream == nullptr) continue;
    exchange->stream->close();
    if (exchange->stream->on_closed) exchange->stream->on_closed();
  }
  return 0;
}
