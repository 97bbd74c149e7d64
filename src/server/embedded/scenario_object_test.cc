#include "server/embedded/scenario_object.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace windlass::server::embedded {
namespace {

const Json& spec() {
  static const Json kSpec{{"duration", "24h"}, {"policies", {"static"}}, {"models", Json::array()}};
  return kSpec;
}

sim::Scenario scenario(const std::string& name = "blog") {
  sim::Scenario out;
  out.name = name;
  out.document = std::make_shared<const Json>(Json{{"apiVersion", "windlass.dev/v1alpha1"},
                                                   {"kind", "Scenario"},
                                                   {"metadata", {{"name", name}}},
                                                   {"spec", spec()}});
  return out;
}

struct Shown {
  Shown() {
    rest::ApiOptions options;
    options.now = [] { return *parse_rfc3339("2026-03-02T00:00:00Z"); };
    api = std::make_unique<rest::KubeApi>(store, std::move(options));
    api->bootstrap();
  }
  Json renew(const ScenarioObject& object, double usd) {
    object.renew({"stock", *parse_rfc3339("2026-03-02T01:02:03.9Z"), usd, 1.005, 60}, store, *api);
    const auto document = store.find({"scenarios.windlass.dev", "", object.name()});
    return document == nullptr ? Json() : *parse_json(document->json);
  }
  cluster::ObjectStore store;
  std::unique_ptr<rest::KubeApi> api;
};

TEST(ScenarioObject, HasTheFilesSpecAndWhatItCameTo) {
  Shown shown;
  const ScenarioObject object(scenario());
  const Json first = shown.renew(object, 12.3456);
  EXPECT_EQ(first["kind"], "Scenario");
  EXPECT_EQ(first["spec"], spec());
  EXPECT_EQ(first["status"], (Json{{"policy", "stock"},
                                   {"time", "2026-03-02T01:02:03Z"},
                                   {"usd", 12.35},
                                   {"usdPerHour", 1.0},
                                   {"speed", 60.0}}));
  EXPECT_EQ(first["metadata"]["generation"], 1);
  const uint64_t version = shown.store.resource_version();
  shown.renew(object, 12.3461);  // the same to the cent
  EXPECT_EQ(shown.store.resource_version(), version);
  EXPECT_EQ(shown.renew(object, 13)["status"]["usd"], 13.0);
  EXPECT_EQ(shown.store.resource_version(), version + 1);
}

TEST(ScenarioObject, PutsBackWhatIsNotClients) {
  Shown shown;
  const ScenarioObject object(scenario());
  Json changed = shown.renew(object, 1);
  changed["metadata"]["labels"] = {{"team", "search"}};
  changed["status"] = {{"usd", -1.0}};
  shown.store.put({"scenarios.windlass.dev", "", "blog"}, changed);
  const Json after = shown.renew(object, 1);
  EXPECT_EQ(after["metadata"]["labels"]["team"], "search");
  EXPECT_EQ(after["status"]["usd"], 1.0);
  // The same cluster goes on with its file changed.
  sim::Scenario other = scenario();
  Json document = *other.document;
  document["spec"]["duration"] = "1h";
  other.document = std::make_shared<const Json>(document);
  const Json next = shown.renew(ScenarioObject(other), 1);
  EXPECT_EQ(next["spec"]["duration"], "1h");
  EXPECT_EQ(next["metadata"]["generation"], 2);
}

TEST(ScenarioObject, RefusesClientsChanges) {
  const ScenarioObject object(scenario());
  Json same = *scenario().document;
  same["status"] = {{"usd", 5}};
  EXPECT_TRUE(object.refusals(same).empty());
  EXPECT_TRUE(object.refusals({{"kind", "Pod"}, {"apiVersion", "v1"}}).empty());
  EXPECT_TRUE(object.refusals({{"kind", "Scenario"}, {"apiVersion", "other.dev/v1"}}).empty());
  Json changed = same;
  changed["spec"]["duration"] = "1h";
  ASSERT_EQ(object.refusals(changed).size(), 1u);
  EXPECT_EQ(object.refusals(changed)[0].field, "spec");
  changed = same;
  changed.erase("spec");
  EXPECT_EQ(object.refusals(changed).size(), 1u);
  changed = same;
  changed["metadata"]["name"] = "other";
  ASSERT_EQ(object.refusals(changed).size(), 1u);
  EXPECT_EQ(object.refusals(changed)[0].field, "metadata.name");
}

TEST(ScenarioObject, ItsNameIsAnObjects) {
  EXPECT_EQ(ScenarioObject(scenario("A day/Two")).name(), "a-day-two");
  EXPECT_EQ(ScenarioObject(scenario("-")).name(), "scenario");
  EXPECT_EQ(ScenarioObject(scenario("v1.5")).name(), "v1.5");
}

TEST(ScenarioObject, WithoutAFileThereIsNone) {
  Shown shown;
  const ScenarioObject object{sim::Scenario{}};
  EXPECT_FALSE(object.shown());
  EXPECT_TRUE(shown.renew(object, 1).is_null());
  EXPECT_TRUE(object.refusals(*scenario().document).empty());
}

}  // namespace
}  // namespace windlass::server::embedded
