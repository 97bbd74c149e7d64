#include "cli/run_config.h"

#include <filesystem>
#include <fstream>
#include <unistd.h>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace windlass::cli {
namespace {

// What `settle` makes of a model with these metrics.
Result<RunSettings> with_metrics(const std::string& metrics) {
  const auto path =
      std::filesystem::temp_directory_path() / fmt::format("windlass-config-{}.yaml", getpid());
  std::ofstream(path) << "apiVersion: windlass.dev/v1alpha1\n"
                         "kind: Config\n"
                         "models:\n"
                         "  - name: m\n"
                         "    deployment: ns/d\n"
                         "    card: {parameters: 8e9, bytesPerWeight: 2, kvBytesPerToken: 131072}\n"
                         "    sloP95: 20s\n"
                         "    metrics: "
                      << metrics << "\n";
  RunOptions options;
  options.config = path.string();
  auto settings = settle(options);
  std::filesystem::remove(path);
  return settings;
}

TEST(RunConfig, PodsAreAskedUnlessAnAddressStandsForAll) {
  const auto pods = with_metrics("{port: 9000, path: /m, period: 2s}");
  ASSERT_TRUE(pods.ok()) << pods.error().message();
  EXPECT_EQ(pods->models.at(0).port, 9000);
  EXPECT_EQ(pods->models.at(0).path, "/m");
  EXPECT_EQ(pods->models.at(0).url, "");
  for (const char* url : {"http://router:9090/metrics", "https://[::1]/federate?match[]=up"}) {
    const auto router = with_metrics(fmt::format("{{url: \"{}\"}}", url));
    ASSERT_TRUE(router.ok()) << router.error().message();
    EXPECT_EQ(router->models.at(0).url, url);
  }
}

TEST(RunConfig, AddressesThatAreNone) {
  const struct {
    const char* metrics;
    const char* fault;
  } cases[] = {
      {"{url: router:9090}", "http:// or https://"},
      {"{url: 'file:///etc/passwd'}", "http:// or https://"},
      {"{url: 'http:///metrics'}", "names no host"},
      {"{url: 'http://user:secret@router/metrics'}", "credentials"},
      {"{url: 'http://router/a b'}", "characters"},
      {"{url: 'http://router/', port: 8000}", "port and path mean nothing"},
      {"{url: 'http://router/', path: /x}", "port and path mean nothing"},
  };
  for (const auto& c : cases) {
    const auto settings = with_metrics(c.metrics);
    ASSERT_FALSE(settings.ok()) << c.metrics;
    const std::string message = settings.error().message();
    EXPECT_NE(message.find(c.fault), std::string::npos) << message;
    EXPECT_NE(message.find("yaml:8: models[0].metrics"), std::string::npos) << message;
    EXPECT_EQ(message.find("secret"), std::string::npos) << message;
  }
}

}  // namespace
}  // namespace windlass::cli
