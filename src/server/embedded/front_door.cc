#include "server/embedded/front_door.h"

#include <fmt/format.h>

#include "server/embedded/accounts.h"
#include "server/http/machine_names.h"

namespace windlass::server::embedded {
namespace {

constexpr uint16_t kApiPort = 6443;
constexpr uint16_t kDashboardPort = 8080;

observe::PrometheusOptions prometheus_options(const FrontDoorParts& parts, std::string prefix) {
  observe::PrometheusOptions options;
  options.prefix = std::move(prefix);
  options.store = parts.store;
  options.now = parts.now;
  options.wall_now = parts.wall_now;
  options.started = parts.now();
  return options;
}

// The usual port where nothing was asked for, any free one where that is taken.
Status listen_near(HttpServer& server, Listen listen, std::optional<uint16_t> asked, uint16_t usual,
                   const HttpServer::Authenticate& authenticate, const Handler& handler) {
  listen.port = asked.value_or(usual);
  Status status = server.listen(listen, authenticate, handler);
  if (status.ok() || asked) return status;
  listen.port = 0;
  return server.listen(listen, authenticate, handler);
}

std::string url_of(std::string_view scheme, const std::string& host, uint16_t port) {
  const bool v6 = host.find(':') != std::string::npos;
  const bool any = is_any_address(host);
  const std::string shown = any ? "127.0.0.1" : v6 ? "[" + host + "]" : host;
  return fmt::format("{}://{}:{}", scheme, shown, port);
}

Response plain(int status, std::string text) {
  Response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(text);
  response.headers = observe::page_headers();
  return response;
}

constexpr std::string_view kPage = "/dashboard/";

Response to_page() {
  Response response = plain(303, "");
  response.headers.emplace_back("Location", kPage);
  return response;
}

// A visit that another site began (a link in a web mail or a terminal in a browser): the browser
// keeps our SameSite=Strict cookie back, though it has it. Asked again by our own page it sends it.
bool begun_elsewhere(const Request& request) {
  return request.method == "GET" && request.header("sec-fetch-mode") == "navigate" &&
         request.header("sec-fetch-site") == "cross-site";
}

Response knock_again() {
  Response response = plain(200, "One moment...\n");
  response.headers.emplace_back("Cache-Control", "no-store");
  response.headers.emplace_back("Refresh", fmt::format("0; url={}", kPage));
  return response;
}

bool changes_something(const Request& request) {
  return request.method != "GET" && request.method != "HEAD";
}

// Whether a page whose name was made to lead here (DNS rebinding) can't have sent this: an address
// is nobody's name, and localhost is ours.
bool host_is_local(std::string_view host) {
  if (host.starts_with('[')) return host.find(']') != std::string_view::npos;
  host = host.substr(0, host.find(':'));
  return host == "localhost" || host.ends_with(".localhost") ||
         (!host.empty() && host.find_first_not_of("0123456789.") == std::string_view::npos);
}

// Of another site's page, not of a link that somebody followed.
bool drawn_in_by_other_site(const Request& request) {
  const std::string_view site = request.header("sec-fetch-site");
  return !site.empty() && site != "same-origin" && site != "none" &&
         request.header("sec-fetch-mode") != "navigate";
}

}  // namespace

FrontDoor::FrontDoor(FrontDoorParts parts)
    : parts_(std::move(parts)),
      api_server_(*parts_.loop),
      dashboard_server_(*parts_.loop),
      prefixed_(prometheus_options(parts_, "/prometheus")),
      plain_(prometheus_options(parts_, "")) {}

FrontDoor::~FrontDoor() = default;

Identity FrontDoor::identify(const Request& request,
                             const std::optional<Identity>& certificate) const {
  return if_account_exists(parts_.credentials->authenticate(request.header("authorization"),
                                                            certificate, parts_.wall_now()),
                           *parts_.objects);
}

Status FrontDoor::open(const DoorOptions& options) {
  const auto api_identity = [this](const Request& request,
                                   const std::optional<Identity>& certificate) {
    return identify(request, certificate);
  };
  Listen listen;
  listen.host = options.host;
  if (!options.plain_http) listen.tls = parts_.credentials->tls();
  Status status = listen_near(api_server_, listen, options.api_port, kApiPort, api_identity,
                              [this](const Request& request, std::shared_ptr<Exchange> exchange) {
                                serve_api(request, exchange);
                              });
  if (!status.ok()) return status;
  api_url_ = url_of(options.plain_http ? "http" : "https", options.host, api_server_.port());

  // On loopback a browser needs no TLS, and would warn of the embedded cluster's own CA.
  const bool loopback =
      options.host == "127.0.0.1" || options.host == "localhost" || options.host == "::1";
  listen.tls.reset();
  plain_dashboard_ = loopback;
  if (!loopback) listen.tls = parts_.credentials->tls();
  sessions_ = std::make_unique<DashboardSessions>(!loopback);
  const auto page_identity = [this](const Request& request,
                                    const std::optional<Identity>& certificate) {
    if (sessions_->valid(request)) return Identity{"windlass-admin", {"system:masters"}, ""};
    return identify(request, certificate);
  };
  status =
      listen_near(dashboard_server_, listen, options.dashboard_port, kDashboardPort, page_identity,
                  [this](const Request& request, std::shared_ptr<Exchange> exchange) {
                    serve_dashboard(request, exchange);
                  });
  if (!status.ok()) return status;
  dashboard_url_ = url_of(loopback ? "http" : "https", options.host, dashboard_server_.port());
  return {};
}

std::string FrontDoor::new_dashboard_link() {
  return dashboard_url_ + "/?token=" + sessions_->new_one_time_token();
}

size_t FrontDoor::connections() const {
  return api_server_.connections() + dashboard_server_.connections();
}

bool FrontDoor::serve_metrics(const Request& request, const std::shared_ptr<Exchange>& exchange,
                              const observe::PrometheusApi& prometheus) {
  const bool reads = !changes_something(request);
  if (reads && request.path == "/metrics") {
    exchange->reply(parts_.metrics->answer(request.header("accept")));
  } else if (reads && request.path == "/sim/metrics") {
    exchange->reply(observe::sim_metrics(*parts_.store, parts_.now(), request.header("accept")));
  } else if (prometheus.serves(request.path)) {
    prometheus.handle(request, exchange);
  } else {
    return false;
  }
  return true;
}

void FrontDoor::serve_api(const Request& request, const std::shared_ptr<Exchange>& exchange) {
  const bool known = !request.identity.user.empty();
  if (known && serve_metrics(request, exchange, prefixed_)) return;
  parts_.api->handle(request, exchange);
}

void FrontDoor::serve_dashboard(const Request& request, const std::shared_ptr<Exchange>& exchange) {
  // Cookies and certificates are sent by any page's form; a bearer token only by who knows it.
  const bool by_token = !identify(request, std::nullopt).user.empty();
  if (!by_token && plain_dashboard_ && !host_is_local(request.header("host"))) {
    exchange->reply(plain(403,
                          "This address answers to 127.0.0.1, [::1] and localhost only. By another "
                          "name, send the API's bearer token.\n"));
    return;
  }
  const bool at_door = request.path == "/" && request.method == "GET";
  if (const auto token = request.parameter("token"); token && at_door) {
    const auto cookie = sessions_->redeem(*token);
    if (!cookie) {
      if (!request.identity.user.empty()) return exchange->reply(to_page());
      if (begun_elsewhere(request)) return exchange->reply(knock_again());
      exchange->reply(plain(401,
                            "This link has been used or is not of this run. The terminal "
                            "of `windlass up` shows a fresh one.\n"));
      return;
    }
    Response response = to_page();
    response.headers.emplace_back("Set-Cookie", *cookie);
    exchange->reply(std::move(response));
    if (on_new_link) on_new_link(new_dashboard_link());
    return;
  }
  if (request.identity.user.empty()) {
    if (begun_elsewhere(request)) return exchange->reply(knock_again());
    exchange->reply(plain(401,
                          "Open the link that `windlass up` printed, or send the API's bearer "
                          "token.\n"));
    return;
  }
  const bool foreign = changes_something(request) ? !DashboardSessions::same_origin(request)
                                                  : drawn_in_by_other_site(request);
  if (!by_token && foreign) {
    exchange->reply(plain(403, "Requests from other sites are refused.\n"));
    return;
  }
  if (at_door) return exchange->reply(to_page());
  if (serve_metrics(request, exchange, plain_)) return;
  parts_.feed->handle(request, exchange);
}

}  // namespace windlass::server::embedded
