#include <string>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "server/patch/managed_fields.h"
#include "server/patch/patch.h"

namespace windlass::server::patch {
namespace {

constexpr Instant kStart{1'000'000'000'000'000'000};  // 2001-09-09T01:46:40Z

const schema::Shape& config_map() { return *schema::built_in("", "v1", "ConfigMap"); }

Manager manager(std::string name, int second = 0, std::string subresource = "") {
  return {std::move(name), "v1", std::move(subresource), kStart + seconds(second)};
}

Json object(Json data) {
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata", {{"name", "c"}, {"uid", "1"}, {"resourceVersion", "5"}}},
          {"data", std::move(data)}};
}

Json created(Json data) {
  Json made = object(std::move(data));
  track_update(nullptr, made, config_map(), manager("maker"));
  return made;
}

Json updated(const Json& before, Json data, const Manager& by) {
  Json after = before;
  after["data"] = std::move(data);
  track_update(before, after, config_map(), by);
  return after;
}

// manager: fieldsV1, in order.
Json owners(const Json& object) {
  Json list = Json::array();
  for (const Json& entry : object["metadata"]["managedFields"]) {
    list.push_back({entry["manager"], entry["fieldsV1"], entry["time"]});
  }
  return list;
}

TEST(TrackUpdate, ACreateOwnsEverythingButIdentity) {
  EXPECT_EQ(owners(created({{"a", "1"}})),
            Json::parse(R"([["maker",{"f:data":{".":{},"f:a":{}}},"2001-09-09T01:46:40Z"]])"));
}

TEST(TrackUpdate, ChangesMoveToWhoMadeThem) {
  Json live = created({{"a", "1"}, {"b", "1"}, {"c", "1"}});
  live = updated(live, {{"a", "2"}, {"b", "1"}, {"d", "1"}}, manager("other", 3));
  EXPECT_EQ(owners(live),
            Json::parse(R"([["maker",{"f:data":{".":{},"f:b":{}}},"2001-09-09T01:46:40Z"],
                            ["other",{"f:data":{"f:a":{},"f:d":{}}},"2001-09-09T01:46:43Z"]])"));
  // A removal takes fields from all and gives none, and so leaves every time as it was.
  live = updated(live, {{"d", "1"}}, manager("third", 9));
  EXPECT_EQ(owners(live), Json::parse(R"([["maker",{"f:data":{}},"2001-09-09T01:46:40Z"],
                            ["other",{"f:data":{"f:d":{}}},"2001-09-09T01:46:43Z"]])"));
}

TEST(TrackUpdate, OneManagerHasOneEntryForEachVersionAndSubresource) {
  Json live = created({{"a", "1"}});
  live = updated(live, {{"a", "1"}, {"b", "1"}}, manager("maker", 1));
  EXPECT_EQ(live["metadata"]["managedFields"].size(), 1U);
  live = updated(live, {{"a", "1"}, {"b", "1"}, {"c", "1"}}, manager("maker", 2, "status"));
  EXPECT_EQ(live["metadata"]["managedFields"].size(), 2U);
  Manager newer = manager("maker", 3);
  newer.api_version = "v2";
  live = updated(live, {{"a", "2"}, {"b", "1"}, {"c", "1"}}, newer);
  EXPECT_EQ(live["metadata"]["managedFields"].size(), 3U);
}

TEST(TrackUpdate, TakesEntriesThatTheRequestBrings) {
  const Json live = created({{"a", "1"}});
  Json entries = live["metadata"]["managedFields"];
  entries[0]["manager"] = "kubectl";
  entries[0]["operation"] = "Apply";
  Json after = live;
  after["metadata"]["managedFields"] = entries;
  track_update(live, after, config_map(), manager("kubectl", 1));
  EXPECT_EQ(after["metadata"]["managedFields"], entries);
  // But not through a subresource, and not when they can't be read.
  Json status = live;
  status["metadata"]["managedFields"] = entries;
  track_update(live, status, config_map(), manager("kubectl", 1, "status"));
  EXPECT_EQ(status, live);
  entries[0]["operation"] = "Guess";
  Json wrong = live;
  wrong["metadata"]["managedFields"] = entries;
  track_update(live, wrong, config_map(), manager("kubectl", 1));
  EXPECT_EQ(wrong, live);
}

TEST(TrackUpdate, EmptyEntriesReset) {
  const Json live = created({{"a", "1"}});
  for (const char* reset : {"[]", "[{}]"}) {
    Json after = live;
    after["metadata"]["managedFields"] = Json::parse(reset);
    track_update(live, after, config_map(), manager("x", 1));
    EXPECT_FALSE(after["metadata"].contains("managedFields")) << reset;
    // From then on nothing is written down, until somebody applies.
    const Json later = updated(after, {{"a", "2"}}, manager("x", 2));
    EXPECT_FALSE(later["metadata"].contains("managedFields")) << reset;
  }
  // Not to send any is no reset.
  for (const bool null : {false, true}) {
    Json after = live;
    after["metadata"].erase("managedFields");
    if (null) after["metadata"]["managedFields"] = nullptr;
    track_update(live, after, config_map(), manager("x", 1));
    EXPECT_EQ(after, live);
  }
}

TEST(TrackUpdate, TheOldestOfMoreThanTenUpdatersShareAnEntry) {
  Json live = created({{"k0", "1"}});
  Json data = live["data"];
  for (int i = 1; i < 14; ++i) {
    data["k" + std::to_string(i)] = "1";
    live = updated(live, data, manager("updater-" + std::to_string(i), i));
    EXPECT_LE(live["metadata"]["managedFields"].size(), 10U) << i;
  }
  const Json& entries = live["metadata"]["managedFields"];
  ASSERT_EQ(entries.size(), 10U);
  EXPECT_EQ(entries[0]["manager"], "ancient-changes");
  EXPECT_EQ(entries[0]["time"], "2001-09-09T01:46:44Z");
  EXPECT_EQ(
      entries[0]["fieldsV1"],
      Json::parse(R"({"f:data":{".":{},"f:k0":{},"f:k1":{},"f:k2":{},"f:k3":{},"f:k4":{}}})"));
}

TEST(TrackUpdate, EntriesHoldWholeSeconds) {
  Json made = object({{"a", "1"}});
  track_update(nullptr, made, config_map(), {"maker", "v1", "", Instant{kStart.ns + 999'999'999}});
  EXPECT_EQ(made["metadata"]["managedFields"][0]["time"], "2001-09-09T01:46:40Z");
  EXPECT_EQ(time_of(Instant{-1}), "1969-12-31T23:59:59Z");
}

TEST(ManagedFields, RefusesEntriesThatCannotBe) {
  const char* const good = R"({"manager":"a","operation":"Apply","apiVersion":"v1",
    "time":"2001-09-09T01:46:40Z","fieldsType":"FieldsV1","fieldsV1":{"f:a":{}}})";
  EXPECT_TRUE(read_managed_fields(Json::array({Json::parse(good)})).ok());
  const char* const bad[][3] = {{"operation", R"("Create")", "operation must be"},
                                {"apiVersion", R"("")", "apiVersion must not be empty"},
                                {"fieldsType", R"("FieldsV2")", "fieldsType must be FieldsV1"},
                                {"time", R"("yesterday")", "is no RFC 3339 time"},
                                {"fieldsV1", "[1]", "an object was expected"}};
  for (const auto& [key, value, error] : bad) {
    Json entry = Json::parse(good);
    entry[key] = Json::parse(value);
    const auto read = read_managed_fields(Json::array({entry}));
    ASSERT_FALSE(read.ok()) << key;
    EXPECT_NE(read.error().message().find(error), std::string::npos) << read.error().message();
    EXPECT_NE(read.error().message().find("metadata.managedFields[0]"), std::string::npos);
  }
}

}  // namespace
}  // namespace windlass::server::patch
