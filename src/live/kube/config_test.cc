#include "live/kube/config.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "api/base64.h"
#include "base/json.h"
#include "live/kube/scratch_fixture.h"

namespace windlass::live::kube {
namespace {

constexpr const char* kPem = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n";

// A kubeconfig of one cluster, user and context, with these fields.
std::string one(const std::string& cluster, const std::string& user,
                const std::string& name = "a") {
  return "apiVersion: v1\nkind: Config\ncurrent-context: " + name + "\nclusters:\n- name: " + name +
         "\n  cluster: {" + cluster + "}\nusers:\n- name: " + name + "\n  user: {" + user +
         "}\ncontexts:\n- name: " + name + "\n  context: {cluster: " + name + ", user: " + name +
         ", namespace: space-" + name + "}\n";
}

class Config : public testing::Test {
 protected:
  Access read(const std::string& text) {
    sources.kubeconfig = scratch.write("config", text);
    const Result<Access> access = find_access(sources);
    EXPECT_TRUE(access.ok()) << access.error().message();
    return access.ok() ? *access : Access{};
  }
  std::string error_of(const std::string& text) {
    sources.kubeconfig = scratch.write("config", text);
    return failure();
  }
  // Without the scratch directory's name.
  std::string failure() {
    const Result<Access> access = find_access(sources);
    if (access.ok()) return "no error";
    std::string text = access.error().message();
    for (size_t at = 0; (at = text.find(scratch.path() + "/")) != std::string::npos;) {
      text.erase(at, scratch.path().size() + 1);
    }
    return text;
  }
  Scratch scratch;
  ConfigSources sources;
};

TEST_F(Config, ReadsTokensAndCertificates) {
  scratch.write("pki/ca.crt", kPem);
  const Access access =
      read(one("server: \"https://10.0.0.1:6443/k8s/\", certificate-authority: "
               "pki/ca.crt, tls-server-name: api, proxy-url: \"http://p:3128\"",
               "token: abc"));
  EXPECT_EQ(access.server, "https://10.0.0.1:6443/k8s");
  EXPECT_EQ(access.tls.ca, kPem);
  EXPECT_EQ(access.tls.server_name, "api");
  EXPECT_FALSE(access.tls.skip_verify);
  EXPECT_EQ(access.proxy, "http://p:3128");
  EXPECT_EQ(access.token, "abc");
  EXPECT_EQ(access.namespace_name, "space-a");
  EXPECT_EQ(access.source, "context \"a\" of " + scratch.path("config"));

  const std::string data = api::to_base64(kPem);
  const Access data_access =
      read(one("server: \"http://h\", insecure-skip-tls-verify: true",
               "client-certificate-data: " + data + ", client-key-data: " + data +
                   ", client-certificate: not-read, token: null"));
  EXPECT_TRUE(data_access.tls.skip_verify);
  EXPECT_EQ(data_access.tls.certificate, kPem);
  EXPECT_EQ(data_access.tls.key, kPem);
  EXPECT_EQ(data_access.token, "");

  const Access basic = read(one("server: \"http://h\"", "username: u, password: p"));
  EXPECT_EQ(basic.username + ":" + basic.password, "u:p");
  const Access file = read(one("server: \"http://h\"", "token: old, tokenFile: run/token"));
  EXPECT_EQ(file.token_file, scratch.path("run/token"));
  EXPECT_EQ(file.token, "");
  EXPECT_EQ(read(one("server: \"http://h\"", "tokenFile: /abs/token")).token_file, "/abs/token");
}

TEST_F(Config, ReadsPlugins) {
  const std::string user = R"(exec: {apiVersion: client.authentication.k8s.io/v1beta1,
    command: aws, args: [eks, get-token], env: [{name: AWS_PROFILE, value: prod}],
    installHint: get it, provideClusterInfo: true})";
  const Access access = read(
      one("server: \"https://h\", certificate-authority-data: " + api::to_base64(kPem) +
              ", extensions: [{name: client.authentication.k8s.io/exec, extension: {audience: x}}]",
          user));
  ASSERT_TRUE(access.exec.has_value());
  EXPECT_EQ(access.exec->command, "aws");
  EXPECT_EQ(access.exec->arguments, (std::vector<std::string>{"eks", "get-token"}));
  EXPECT_EQ(access.exec->environment.at(0),
            std::pair(std::string("AWS_PROFILE"), std::string("prod")));
  EXPECT_EQ(access.exec->install_hint, "get it");
  const Json info = *parse_json(access.exec->cluster_info);
  EXPECT_EQ(info, Json({{"server", "https://h"},
                        {"certificate-authority-data", api::to_base64(kPem)},
                        {"config", {{"audience", "x"}}}}));
  const Access relative = read(one("server: \"https://h\"", R"(exec: {interactiveMode: Never,
    apiVersion: client.authentication.k8s.io/v1, command: bin/plugin, args: null, env: null})"));
  EXPECT_EQ(relative.exec->command, scratch.path("bin/plugin"));
  EXPECT_FALSE(read(one("server: \"https://h\"", "token: t, " + user)).exec.has_value())
      << "a token that is written down goes first";
}

TEST_F(Config, ResolvesPathsOfAFileNamedWithoutDirectory) {
  scratch.write("config", one("server: \"https://h\"", R"(exec: {interactiveMode: Never,
    apiVersion: client.authentication.k8s.io/v1, command: ./plugin})"));
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(scratch.path());
  sources.kubeconfig = "config";
  const Result<Access> access = find_access(sources);
  std::filesystem::current_path(before);
  ASSERT_TRUE(access.ok());
  EXPECT_EQ(access->exec->command, scratch.path("plugin"));
}

// kubectl's rule: the first file that has a name wins with all of it.
TEST_F(Config, MergesFiles) {
  scratch.write("first", one("server: \"https://first\"", "token: one"));
  scratch.write("second", one("server: \"https://second\", tls-server-name: other",
                              "token: two, client-certificate: x") +
                              "");
  scratch.write("sub/third", one("server: \"https://third\"", "tokenFile: tok", "c"));
  sources.kubeconfig_environment = scratch.path("absent") + "::" + scratch.path("first") + ":" +
                                   scratch.path("second") + ":" + scratch.path("sub/third");
  const Result<Access> first = find_access(sources);
  ASSERT_TRUE(first.ok()) << first.error().message();
  EXPECT_EQ(first->server, "https://first");
  EXPECT_EQ(first->tls.server_name, "");
  EXPECT_EQ(first->token, "one");
  sources.context = "c";
  const Result<Access> third = find_access(sources);
  ASSERT_TRUE(third.ok());
  EXPECT_EQ(third->server, "https://third");
  EXPECT_EQ(third->token_file, scratch.path("sub/tok")) << "from its own file's directory";
  EXPECT_EQ(third->namespace_name, "space-c");
  // A context may join entries of several files.
  scratch.write("fourth", "contexts: [{name: mixed, context: {cluster: c, user: a}}]");
  sources.kubeconfig_environment += ":" + scratch.path("fourth");
  sources.context = "mixed";
  const Result<Access> mixed = find_access(sources);
  ASSERT_TRUE(mixed.ok());
  EXPECT_EQ(mixed->server + mixed->token + mixed->namespace_name, "https://thirdonedefault");
  sources.context = "nope";
  EXPECT_EQ(failure(),
            "first, second, sub/third, fourth: contexts: \"nope\" is not there; there are: a, c, "
            "mixed");
}

TEST_F(Config, NamesFileAndField) {
  const std::string server = "server: \"https://h\"";
  struct Case {
    std::string text, error;
  };
  const std::vector<Case> cases = {
      {"", "current-context: not set; name a context (there are none)"},
      {"[]", "is no kubeconfig"},
      {"a: b: c", "line 1, column 5: not valid YAML"},
      {"users: {}", "users: must be a list"},
      {"users: [{user: {}}]", "users[0].name: must be a string"},
      {"users: [7]", "users[0]: must be an object"},
      {"users: [{name: b, user: x}]", "users[b].user: must be an object"},
      {"current-context: x", "current-context: \"x\" is not there; there are none"},
      {"current-context: x\ncontexts: [{name: x, context: {cluster: c1}}]",
       "contexts[x].context.cluster: \"c1\" is not there; there are none"},
      {"current-context: x\ncontexts: [{name: x, context: {cluster: c1, user: u1}}]\n"
       "clusters: [{name: c1, cluster: {}}]",
       "contexts[x].context.user: \"u1\" is not there; there are none"},
      {one("", ""), "clusters[a].cluster.server: is missing"},
      {one("server: 7", ""), "clusters[a].cluster.server: must be a string"},
      {one("server: h", ""), "clusters[a].cluster.server: must be an http:// or https:// URL"},
      {one(server + ", proxy-url: \"ftp://x\"", ""),
       "clusters[a].cluster.proxy-url: must be an http://, https:// or socks5:// URL"},
      {one(server + ", certificate-authority-data: \"%\"", ""),
       "clusters[a].cluster.certificate-authority-data: is not base64"},
      {one(server + ", certificate-authority-data: YWJj", ""),
       "clusters[a].cluster.certificate-authority-data: holds no PEM"},
      {one(server + ", certificate-authority: ca", ""),
       "clusters[a].cluster.certificate-authority: ca: No such file or directory"},
      {one(server + ", insecure-skip-tls-verify: \"yes\"", ""),
       "clusters[a].cluster.insecure-skip-tls-verify: must be true or false"},
      {one(server + ", insecure-skip-tls-verify: true, certificate-authority-data: " +
               api::to_base64(kPem),
           ""),
       "clusters[a].cluster.insecure-skip-tls-verify: can't be true beside a certificate "
       "authority"},
      {one(server, "token: 7"), "users[a].user.token: must be a string"},
      {one(server, "token: t, username: u"), "users[a].user.username: can't be set beside a token"},
      {one(server, "client-key-data: " + api::to_base64(kPem)),
       "users[a].user.client-certificate: is missing: certificate and key go together"},
      {one(server, "as: root"), "users[a].user.as: impersonation is not supported"},
      {one(server, "auth-provider: {name: gcp}"),
       "users[a].user.auth-provider: is no longer supported by Kubernetes; use exec"},
      {one(server, "exec: []"), "users[a].user.exec: must be an object"},
      {one(server, "exec: {command: x, apiVersion: v1}"),
       "users[a].user.exec.apiVersion: must be client.authentication.k8s.io/v1 or v1beta1"},
      {one(server, "exec: {apiVersion: client.authentication.k8s.io/v1beta1}"),
       "users[a].user.exec.command: is missing"},
      {one(server, "exec: {apiVersion: client.authentication.k8s.io/v1, command: x}"),
       "users[a].user.exec.interactiveMode: must be Never, IfAvailable or Always"},
      {one(server,
           "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, args: [1]}"),
       "users[a].user.exec.args: must be a list of strings"},
      {one(server,
           "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: x, env: "
           "[{name: x}]}"),
       "users[a].user.exec.env: needs a name and a value, both strings, in every item"},
  };
  for (const Case& c : cases) EXPECT_EQ(error_of(c.text), "config: " + c.error) << c.text;
}

TEST_F(Config, FindsTheFirstSource) {
  sources.service_account_dir = scratch.path("sa");
  EXPECT_EQ(failure(),
            "no cluster is configured: no --kubeconfig, KUBECONFIG is not set, "
            "KUBERNETES_SERVICE_HOST is not set (no pod), HOME is not set");
  sources.service_host = "10.96.0.1";
  sources.service_port = "443";
  sources.home = scratch.path("home");
  EXPECT_EQ(failure(),
            "no cluster is configured: no --kubeconfig, KUBECONFIG is not set, sa/token is not "
            "used, home/.kube/config is not there");
  scratch.write("home/.kube/config", one("server: \"https://home\"", ""));
  EXPECT_EQ(find_access(sources)->server, "https://home");
  scratch.write("sa/token", "t");
  EXPECT_EQ(failure(), "the pod's service account: sa/ca.crt: No such file or directory");
  scratch.write("sa/ca.crt", kPem);
  scratch.write("sa/namespace", "gpu\n");
  const Access pod = *find_access(sources);
  EXPECT_EQ(pod.server, "https://10.96.0.1:443");
  EXPECT_EQ(pod.token_file, scratch.path("sa/token"));
  EXPECT_EQ(pod.ca_file, scratch.path("sa/ca.crt"));
  EXPECT_EQ(pod.tls.ca, kPem);
  EXPECT_EQ(pod.namespace_name, "gpu");
  sources.service_host = "fd00::1";
  EXPECT_EQ(find_access(sources)->server, "https://[fd00::1]:443");
  sources.context = "a";
  EXPECT_EQ(find_access(sources)->server, "https://home") << "a context is a kubeconfig's";
  sources.kubeconfig_environment = scratch.path("gone") + ":" + scratch.path("gone2");
  EXPECT_EQ(failure(), "KUBECONFIG: no such file: gone:gone2");
  sources.kubeconfig_environment = scratch.write("env", one("server: \"https://env\"", ""));
  EXPECT_EQ(find_access(sources)->server, "https://env");
  sources.kubeconfig = scratch.write("flag", one("server: \"https://flag\"", ""));
  EXPECT_EQ(find_access(sources)->server, "https://flag");
  sources.kubeconfig = scratch.path("gone");
  EXPECT_EQ(failure(), "gone: No such file or directory");
  sources.kubeconfig = scratch.path();
  EXPECT_NE(failure(), "no error") << "a directory";
}

}  // namespace
}  // namespace windlass::live::kube
