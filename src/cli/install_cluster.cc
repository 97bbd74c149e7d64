#include "cli/install_cluster.h"

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "live/kube/client.h"
#include "live/kube/config.h"
#include "net/clock.h"
#include "net/event_loop.h"
#include "server/kinds/kind_rules.h"

namespace windlass::cli {
namespace {

using live::kube::ConfigSources;
using live::kube::Reply;

constexpr std::string_view kServiceMonitors = "servicemonitors.monitoring.coreos.com";

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

ConfigSources sources_of(const InstallOptions& options) {
  ConfigSources sources;
  sources.kubeconfig = options.kubeconfig;
  sources.context = options.context;
  sources.kubeconfig_environment = variable("KUBECONFIG");
  sources.home = variable("HOME");
  sources.service_host = variable("KUBERNETES_SERVICE_HOST");
  sources.service_port = variable("KUBERNETES_SERVICE_PORT");
  return sources;
}

// Nobody has said where a cluster is: no file, no name of a context, no pod around us.
bool names_none(const ConfigSources& sources) {
  std::error_code ignored;
  return sources.kubeconfig.empty() && sources.context.empty() &&
         sources.kubeconfig_environment.empty() && sources.service_host.empty() &&
         (sources.home.empty() ||
          !std::filesystem::exists(sources.home + "/.kube/config", ignored));
}

// Asks for each CRD by its name: that right is easier had than the one to list them.
class Inquiry {
 public:
  Inquiry(net::EventLoop& loop, live::kube::Api& api) : loop_(loop), api_(api) {}

  void ask(const std::string& crd) {
    ++open_;
    live::kube::Request request;
    request.path = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/" + crd;
    request.timeout = seconds(15);
    api_.send(std::move(request), [this, crd](const Reply& reply) { take(crd, reply); });
  }

  Result<Present> outcome() {
    while (open_ > 0) loop_.turn();
    if (fault_) return *fault_;
    return present_;
  }

 private:
  void take(const std::string& crd, const Reply& reply) {
    --open_;
    if (reply.ok() && crd == kServiceMonitors) {
      present_.service_monitors = true;
    } else if (reply.ok()) {
      present_.crds.insert(crd);
    } else if (reply.code != 404 && !fault_) {
      fault_ = Error(fmt::format("CustomResourceDefinition {}: {}", crd, reply.error()));
    }
  }

  net::EventLoop& loop_;
  live::kube::Api& api_;
  int open_ = 0;
  Present present_;
  std::optional<Error> fault_;
};

}  // namespace

Result<Present> ask_cluster(const InstallOptions& options) {
  const ConfigSources sources = sources_of(options);
  if (names_none(sources)) return Present{};
  const auto access = live::kube::find_access(sources);
  if (!access.ok()) return access.error();
  net::EventLoop loop;
  const auto clock = net::system_clock_on(loop);
  live::kube::HttpApi api(loop, *clock, *access, {.user_agent = "windlass/" + options.version});
  Inquiry inquiry(loop, api);
  for (const Json& crd : server::kinds::built_in_crds()) {
    inquiry.ask(crd.at("metadata").at("name").get<std::string>());
  }
  inquiry.ask(std::string(kServiceMonitors));
  auto present = inquiry.outcome();
  return present.ok() ? std::move(present) : present.error().in(access->source);
}

}  // namespace windlass::cli
