#include "server/rest/selectors.h"

#include <gtest/gtest.h>

#include "server/rest/request_path.h"

namespace windlass::server::rest {
namespace {

TEST(LabelSelector, SelectsAsKubectlWouldExpect) {
  const api::StringMap labels = {{"app", "web"}, {"tier", "front"}, {"n", "5"}, {"empty", ""}};
  const std::pair<const char*, bool> cases[] = {
      {"", true},
      {"app=web", true},
      {"app==web", true},
      {"app = web", true},
      {"app=db", false},
      {"app!=db", true},
      {"other!=x", true},  // an absent label differs from every value
      {"app!=web", false},
      {"app", true},
      {"other", false},
      {"!other", true},
      {"! app", false},
      {"app in (db,web)", true},
      {"app in (db, cache)", false},
      {"app notin (db)", true},
      {"other notin (db)", true},
      {"app notin (web,db)", false},
      {"app=web,tier=front", true},
      {"app=web,tier=back", false},
      {"app in (web),!other,n>4", true},
      {"n>5", false},
      {"n<6", true},
      {"tier>1", false},  // not a number
      {"empty=", true},
      {"app=", false},
      {"input=x", false},  // a key that starts as an operator
      {"app.kubernetes.io/name=x", false},
  };
  for (const auto& [text, expected] : cases) {
    const auto terms = parse_label_selector(text);
    ASSERT_TRUE(terms.ok()) << text << ": " << terms.fault().message;
    EXPECT_EQ(matches(*terms, labels), expected) << text;
  }
}

TEST(LabelSelector, RefusesWhatIsNone) {
  for (const char* text : {"=", "a in", "a in (", "a in (b", "a notin b", "a=b c", "a>x", "-a=b",
                           "a=b=c", "a,,b", "!", "a=\"b\""}) {
    const auto terms = parse_label_selector(text);
    ASSERT_FALSE(terms.ok()) << text;
    EXPECT_EQ(terms.fault().code, 400) << text;
  }
}

TEST(FieldSelector, ReadsTermsAndRefusesUnknownFields) {
  const Registry registry;
  const Resource& pods = *registry.find("", "pods");
  cluster::Document document;
  document.key = {"pods", "default", "a"};
  document.fields = {{"spec.nodeName", "n1"}, {"status.phase", "Running"}};
  const std::pair<const char*, bool> cases[] = {
      {"", true},
      {"metadata.name=a", true},
      {"metadata.name==a,metadata.namespace=default", true},
      {"metadata.name=b", false},
      {"spec.nodeName=n1,status.phase!=Succeeded,status.phase!=Failed", true},
      {"spec.nodeName=", false},
      {"spec.nodeName!=n1", false},
      {"spec.schedulerName=", true},  // absent reads as empty
  };
  for (const auto& [text, expected] : cases) {
    auto terms = parse_field_selector(text, pods);
    ASSERT_TRUE(terms.ok()) << text;
    EXPECT_EQ((Selector{{}, *terms}).matches(document), expected) << text;
  }
  for (const char* text : {"spec.other=x", "metadata.name", "=x"}) {
    const auto terms = parse_field_selector(text, pods);
    ASSERT_FALSE(terms.ok()) << text;
    EXPECT_EQ(terms.fault().code, 400);
  }
}

TEST(RequestPath, TakesPathsApart) {
  struct Case {
    const char* path;
    const char *group, *version, *in_namespace, *plural, *name, *subresource, *rest;
  };
  const Case cases[] = {
      {"/api", "", "", "", "", "", "", ""},
      {"/api/v1", "", "v1", "", "", "", "", ""},
      {"/api/v1/pods", "", "v1", "", "pods", "", "", ""},
      {"/api/v1/namespaces", "", "v1", "", "namespaces", "", "", ""},
      {"/api/v1/namespaces/a", "", "v1", "", "namespaces", "a", "", ""},
      {"/api/v1/namespaces/a/status", "", "v1", "", "namespaces", "a", "status", ""},
      {"/api/v1/namespaces/a/finalize", "", "v1", "", "namespaces", "a", "finalize", ""},
      {"/api/v1/namespaces/a/pods", "", "v1", "a", "pods", "", "", ""},
      {"/api/v1/namespaces/a/pods/p", "", "v1", "a", "pods", "p", "", ""},
      {"/api/v1/namespaces/a/pods/p/eviction", "", "v1", "a", "pods", "p", "eviction", ""},
      {"/api/v1/nodes/n/proxy/stats/x", "", "v1", "", "nodes", "n", "proxy", "stats/x"},
      {"/apis", "", "", "", "", "", "", ""},
      {"/apis/apps", "apps", "", "", "", "", "", ""},
      {"/apis/apps/v1/", "apps", "v1", "", "", "", "", ""},
      {"/apis/apps/v1/namespaces/a/deployments/d/scale", "apps", "v1", "a", "deployments", "d",
       "scale", ""},
      {"/apis/x.io/v1/namespaces/a/status", "x.io", "v1", "a", "status", "", "", ""},
  };
  for (const auto& each : cases) {
    const auto path = parse_path(each.path);
    ASSERT_TRUE(path.has_value()) << each.path;
    EXPECT_EQ(path->group, each.group) << each.path;
    EXPECT_EQ(path->version, each.version) << each.path;
    EXPECT_EQ(path->namespace_name, each.in_namespace) << each.path;
    EXPECT_EQ(path->plural, each.plural) << each.path;
    EXPECT_EQ(path->name, each.name) << each.path;
    EXPECT_EQ(path->subresource, each.subresource) << each.path;
    EXPECT_EQ(path->rest, each.rest) << each.path;
  }
  EXPECT_FALSE(parse_path("/").has_value());
  EXPECT_FALSE(parse_path("/metrics").has_value());
}

TEST(Versions, ArePreferredAsKubernetesDoes) {
  const char* const in_order[] = {"v10",     "v2",       "v1",  "v2beta1", "v1beta2",
                                  "v1beta1", "v2alpha1", "bar", "foo1"};
  for (size_t i = 0; i + 1 < std::size(in_order); ++i) {
    EXPECT_TRUE(version_before(in_order[i], in_order[i + 1])) << in_order[i];
    EXPECT_FALSE(version_before(in_order[i + 1], in_order[i])) << in_order[i];
  }
}

}  // namespace
}  // namespace windlass::server::rest
