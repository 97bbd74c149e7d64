#include "server/kinds/names.h"

#include <gtest/gtest.h>

#include "server/kinds/kind_rules.h"

namespace windlass::server::kinds {
namespace {

using Check = std::string (*)(std::string_view);

void expect_all(Check check, const std::vector<std::string>& good,
                const std::vector<std::string>& bad) {
  for (const std::string& text : good) EXPECT_EQ(check(text), "") << text;
  for (const std::string& text : bad) EXPECT_NE(check(text), "") << text;
}

const std::string k63(63, 'a');
const std::string k64(64, 'a');

TEST(Names, Forms) {
  expect_all(dns_label_fault, {"a", "a-b", "0", k63}, {"", "-a", "a-", "A", "a.b", "a_b", k64});
  expect_all(dns_subdomain_fault, {"a", "a.b-c.d", "1.2", std::string(253, 'a')},
             {"", ".", "a.", ".a", "a..b", "a.-b", "A.b", "a/b", std::string(254, 'a')});
  expect_all(dns_1035_label_fault, {"a", "a-1"}, {"1a", "", "a.b", k64});
  expect_all(path_segment_fault, {"system:node", "A b"}, {".", "..", "a/b", "a%b"});
  expect_all(qualified_name_fault,
             {"a", "MyName", "my.name_1", "example.com/MyName", "e.com/" + k63},
             {"", "/a", "a/", "a/b/c", "-a", "a-", "Example.com/a", "e.com/" + k64, "a b"});
  expect_all(label_value_fault, {"", "a", "A.b_c-1", k63}, {"-a", "a.", "a/b", k64, "a b"});
  expect_all(port_name_fault, {"http", "a-1", "1a"},
             {"", "HTTP", "1", "a--b", "-a", "a-", "abcdefghijklmnop"});
  expect_all(config_key_fault, {"a.b", "A_b-c", ".x"}, {"", "a/b", ".", "..", "..x", "a b"});
  expect_all(env_name_fault, {"A", "a.b", "1x", "a b"}, {"", "a=b", "\xC3\xA4", "a\n"});
  expect_all(percent_fault, {"0%", "100%"}, {"", "%", "1", "-1%", "1.5%"});
}

TEST(Names, WordsThatToolsMatch) {
  EXPECT_EQ(dns_label_fault("a.b"), "must not contain dots");
  EXPECT_EQ(label_value_fault(k64), "must be no more than 63 characters");
  EXPECT_EQ(qualified_name_fault("/a"), "prefix part must be non-empty");
  EXPECT_TRUE(dns_subdomain_fault("A").starts_with("a lowercase RFC 1123 subdomain must consist"));
}

TEST(Names, FormDependsOnTheResource) {
  EXPECT_NE(name_fault("namespaces", "a.b"), "");
  EXPECT_EQ(name_fault("pods", "a.b"), "");
  EXPECT_NE(name_fault("services", "1a"), "");
  EXPECT_EQ(name_fault("services.serving.knative.dev", "1a"), "");
  EXPECT_EQ(name_fault("clusterroles.rbac.authorization.k8s.io", "system:node"), "");
  EXPECT_EQ(name_fault("clusterroles", "system:node"), "");
  EXPECT_NE(name_fault("nodepools.karpenter.sh", "Pool"), "");
}

}  // namespace
}  // namespace windlass::server::kinds
