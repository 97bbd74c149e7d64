#include "server/observe/dashboard_feed.h"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "server/observe/controls.h"
#include "server/observe/decision_feed.h"
#include "server/observe/frame_builder.h"
#include "server/observe/frame_text.h"
#include "server/observe/history.h"
#include "server/observe/http_query.h"
#include "server/observe/json_text.h"
#include "server/observe/kept_frames.h"
#include "server/observe/page_assets.h"

namespace windlass::server::observe {
namespace {

constexpr size_t kPointsMax = 5'000;
constexpr size_t kPointsDefault = 500;

Response with_headers(Response response, std::string_view cache) {
  response.headers = page_headers();
  response.headers.emplace_back("Cache-Control", cache);
  return response;
}

Response data(std::string json) {
  Response response;
  response.body = std::move(json);
  return with_headers(std::move(response), "no-store");
}

Response refusal(int status, std::string_view message) {
  JsonText json;
  Response response = data(json.open('{').key("error").text(message).close('}').take());
  response.status = status;
  return response;
}

std::shared_ptr<const std::string> event(std::string_view name, std::string_view json) {
  auto out = std::make_shared<std::string>();
  out->reserve(name.size() + json.size() + 24);
  *out += fmt::format("event: {}\ndata: ", name);
  *out += json;
  *out += "\n\n";
  return out;
}

Response asset_answer(const Request& request) {
  const Asset* asset = find_page_asset(request.path);
  if (asset == nullptr) return refusal(404, "no such page");
  Response response;
  response.content_type = std::string(asset->content_type);
  const bool known = header_of(request, "if-none-match").find(asset->etag) != std::string::npos;
  response.status = known ? 304 : 200;
  if (!known && request.method != "HEAD") response.body = std::string(asset->body);
  response = with_headers(std::move(response), "no-cache");
  response.headers.emplace_back("ETag", asset->etag);
  return response;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> page_headers() {
  return {{"Content-Security-Policy", std::string(page_security_policy())},
          {"X-Content-Type-Options", "nosniff"},
          {"X-Frame-Options", "DENY"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"Cross-Origin-Resource-Policy", "same-origin"}};
}

struct DashboardFeed::Impl {
  Impl(Sources the_sources, FeedOptions the_options)
      : sources(std::move(the_sources)),
        options(the_options),
        decisions(options.decision_bytes),
        history(options.history_points),
        kept(options.kept_bytes),
        builder(sources, decisions) {
    history.begin(sources);
    plan_sample();
  }

  void plan_sample();
  FramePtr fresh();
  void send_updates();
  void open_stream(const std::shared_ptr<Exchange>& exchange);
  Response history_answer(const Request& request) const;
  Response at_answer(const Request& request);
  Response controls_answer(const Request& request);
  Response answer(const Request& request);

  Sources sources;
  FeedOptions options;
  DecisionFeed decisions;
  ModelRates rates;
  History history;
  KeptFrames kept;
  FrameBuilder builder;
  Instant next_sample{};
  FramePtr newest;  // the last one built: where equal elements are taken from
  FramePtr sent;    // what all streams have
  std::vector<std::shared_ptr<Stream>> streams;
};

// On the grid of periods, wherever it is called.
void DashboardFeed::Impl::plan_sample() {
  const int64_t period = options.sample_period.ns;
  const int64_t passed = (sources.now() - sources.started).ns / period;
  next_sample = sources.started + Duration{(passed + 1) * period};
}

FramePtr DashboardFeed::Impl::fresh() {
  decisions.forget_bound(*sources.state);
  decisions.forget_claims(*sources.state);
  newest = builder.build(newest, rates);
  return newest;
}

void DashboardFeed::Impl::open_stream(const std::shared_ptr<Exchange>& exchange) {
  // All streams are at the same frame, so that one update fits all.
  if (streams.empty() || sent == nullptr) sent = fresh();
  const auto stream = exchange->open_stream(200, "text/event-stream");
  if (stream == nullptr) return;
  stream->send(event("snapshot", snapshot_text(*sent, sources, decisions)));
  streams.push_back(stream);
}

void DashboardFeed::Impl::send_updates() {
  std::erase_if(streams, [](const auto& stream) { return stream->closed(); });
  if (streams.empty()) {
    sent = nullptr;
    return;
  }
  const FramePtr now = fresh();
  const auto update = event("update", update_text(*sent, *now, sources, decisions));
  sent = now;
  for (const auto& stream : streams) {
    // A peer that has missed one update can't use the next: it may come back for a snapshot.
    if (stream->unsent() > options.stream_unsent_bytes || !stream->send(update)) stream->abort();
  }
}

Response DashboardFeed::Impl::history_answer(const Request& request) const {
  const Parameters parameters(request);
  double from_s = -1;
  double to_s = 1e18;
  for (const auto& [name, field] : {std::pair("from", &from_s), {"to", &to_s}}) {
    const auto text = parameters.first(name);
    if (!text || text->empty()) continue;
    const auto time = parse_rfc3339(*text);
    if (!time.ok()) return refusal(400, fmt::format("{}: {}", name, time.error().message()));
    *field = (*time - sources.started).seconds();
  }
  size_t points = kPointsDefault;
  if (const auto text = parameters.first("points"); text && !text->empty()) {
    const auto number = parse_int(*text);
    if (!number.ok() || *number < 1) return refusal(400, "points: not a number from 1");
    points = static_cast<size_t>(std::min<int64_t>(*number, kPointsMax));
  }
  return data(history.json(from_s, to_s, points));
}

Response DashboardFeed::Impl::at_answer(const Request& request) {
  const auto text = Parameters(request).first("time");
  if (!text) return refusal(400, "time: missing");
  const auto time = parse_rfc3339(*text);
  if (!time.ok()) return refusal(400, fmt::format("time: {}", time.error().message()));
  const FramePtr frame = *time < sources.now() ? kept.nearest(*time) : nullptr;
  return data(snapshot_text(frame == nullptr ? *fresh() : *frame, sources, decisions));
}

Response DashboardFeed::Impl::controls_answer(const Request& request) {
  if (request.method != "POST") return refusal(405, "method not allowed (accepted: POST)");
  const Status done = apply_control(request.body, sources.actions);
  if (!done.ok()) return refusal(400, done.error().message());
  Response response;
  response.status = 204;
  return with_headers(std::move(response), "no-store");
}

Response DashboardFeed::Impl::answer(const Request& request) {
  const std::string& path = request.path;
  if (path == "/dashboard/controls") return controls_answer(request);
  if (request.method != "GET" && request.method != "HEAD") {
    return refusal(405, "method not allowed (accepted: GET)");
  }
  if (path == "/dashboard/snapshot") return data(snapshot_text(*fresh(), sources, decisions));
  if (path == "/dashboard/history") return history_answer(request);
  if (path == "/dashboard/at") return at_answer(request);
  return asset_answer(request);
}

DashboardFeed::DashboardFeed(Sources sources, FeedOptions options)
    : impl_(std::make_unique<Impl>(std::move(sources), options)) {}
DashboardFeed::~DashboardFeed() = default;

void DashboardFeed::handle(const Request& request, const std::shared_ptr<Exchange>& exchange) {
  if (request.path == "/dashboard/stream" && request.method == "GET") {
    impl_->open_stream(exchange);
  } else {
    exchange->reply(impl_->answer(request));
  }
}

void DashboardFeed::note_decision(std::string_view controller,
                                  const controllers::Decision& decision) {
  impl_->decisions.note(impl_->sources.now(), controller, decision);
}

Instant DashboardFeed::next_sample() const { return impl_->next_sample; }

void DashboardFeed::sample() {
  Impl& impl = *impl_;
  impl.history.sample(impl.sources);
  const Instant now = impl.sources.now();
  impl.rates.mark(now, impl.sources.models());
  impl.plan_sample();
}

void DashboardFeed::tick() {
  Impl& impl = *impl_;
  const Instant now = impl.sources.now();
  impl.rates.mark(now, impl.sources.models());
  impl.send_updates();
  const bool due = impl.kept.empty() || now - impl.kept.newest()->now >= impl.options.keep_period;
  if (!due) return;
  impl.kept.keep(impl.sent != nullptr ? impl.sent : impl.fresh());
}

size_t DashboardFeed::clients() const {
  return static_cast<size_t>(
      std::ranges::count_if(impl_->streams, [](const auto& stream) { return !stream->closed(); }));
}
size_t DashboardFeed::kept_snapshots() const { return impl_->kept.size(); }
size_t DashboardFeed::kept_bytes() const { return impl_->kept.bytes(); }

std::string DashboardFeed::snapshot() {
  return snapshot_text(*impl_->fresh(), impl_->sources, impl_->decisions);
}

}  // namespace windlass::server::observe
