#include "cluster/object_store.h"

#include <deque>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck.h>

namespace windlass::cluster {
namespace {

ObjectKey pod_key(const std::string& name, const std::string& namespace_name = "ns") {
  return {"pods", namespace_name, name};
}

Json pod(const std::string& name, const std::string& node = "") {
  return {{"metadata", {{"name", name}, {"uid", "uid-" + name}, {"labels", {{"app", "web"}}}}},
          {"spec", {{"nodeName", node}}}};
}

std::vector<std::string> names(const std::vector<DocumentPtr>& documents) {
  std::vector<std::string> out;
  for (const DocumentPtr& d : documents) out.push_back(d->key.namespace_name + "/" + d->key.name);
  return out;
}

using Names = std::vector<std::string>;

TEST(ObjectStore, APutDocumentCarriesItsVersionLabelsAndFields) {
  ObjectStore store;
  store.fields_of = [](std::string_view resource, const Json& object) {
    EXPECT_EQ(resource, "pods");
    return std::vector<std::pair<std::string, std::string>>{
        {"spec.nodeName", object.at("spec").at("nodeName").get<std::string>()},
        {"status.podIP", ""}};
  };
  store.put(pod_key("a"), pod("a"));
  const DocumentPtr document = store.put(pod_key("b"), pod("b", "n1"));
  EXPECT_EQ(document, store.find(pod_key("b")));
  EXPECT_EQ(document->resource_version, 2u);
  EXPECT_EQ(document->uid, "uid-b");
  EXPECT_EQ(document->labels, (api::StringMap{{"app", "web"}}));
  ASSERT_EQ(document->fields.size(), 1u);
  EXPECT_EQ(document->fields[0].second, "n1");
  EXPECT_EQ(Json::parse(document->json).at("metadata").at("resourceVersion"), "2");
  EXPECT_EQ(store.resource_version(), 2u);
  EXPECT_EQ(store.count("pods"), 2u);
  EXPECT_EQ(store.count("nodes"), 0u);
}

TEST(ObjectStore, LabelsThatAreNoTextAndTextThatIsNoUtf8DoNoHarm) {
  ObjectStore store;
  Json object = pod("a");
  object["metadata"]["labels"] = {{"n", 1}, {"s", "x"}};
  object["metadata"]["annotations"] = {{"bad", "\xff"}};
  EXPECT_EQ(store.put(pod_key("a"), object)->labels, (api::StringMap{{"s", "x"}}));
  object["metadata"]["labels"] = nullptr;
  EXPECT_TRUE(store.put(pod_key("a"), object)->labels.empty());
  EXPECT_NE(store.find(pod_key("a"))->json.find("\xEF\xBF\xBD"), std::string::npos);
}

TEST(ObjectStore, ListsInOrderByNamespaceAndInPages) {
  ObjectStore store;
  for (const char* where : {"b", "a", "c"}) {
    for (const char* name : {"2", "1"}) store.put(pod_key(name, where), pod(name));
  }
  EXPECT_EQ(names(store.list("pods")), (Names{"a/1", "a/2", "b/1", "b/2", "c/1", "c/2"}));
  EXPECT_EQ(names(store.list("pods", "b")), (Names{"b/1", "b/2"}));
  EXPECT_EQ(names(store.list("pods", "", pod_key("2", "a"), 3)), (Names{"b/1", "b/2", "c/1"}));
  EXPECT_EQ(names(store.list("pods", "b", pod_key("1", "b"))), (Names{"b/2"}));
  EXPECT_EQ(names(store.list("pods", "b", pod_key("9", "a"))), (Names{"b/1", "b/2"}));
  EXPECT_EQ(names(store.list("pods", "b", pod_key("1", "c"))), Names{});
  EXPECT_EQ(names(store.list("pods", "", pod_key("2", "c"))), Names{});
  EXPECT_EQ(names(store.list("pods", "none")), Names{});
  EXPECT_EQ(names(store.list("nodes")), Names{});
  EXPECT_EQ(store.list("pods", "", {}, 0).size(), 0u);
}

TEST(ObjectStore, ARemovalIsAnEventWithItsOwnVersion) {
  ObjectStore store;
  const DocumentPtr before = store.put(pod_key("a"), pod("a"));
  EXPECT_EQ(store.remove(pod_key("b")), nullptr);
  EXPECT_EQ(store.remove({"nodes", "", "a"}), nullptr);
  EXPECT_EQ(store.resource_version(), 1u);
  const DocumentPtr last = store.remove(pod_key("a"));
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->resource_version, 2u);
  EXPECT_EQ(Json::parse(last->json).at("metadata").at("resourceVersion"), "2");
  EXPECT_EQ(last->labels, before->labels);
  EXPECT_EQ(before->resource_version, 1u);  // documents never change
  EXPECT_EQ(store.find(pod_key("a")), nullptr);
  const auto events = store.since("pods", 1);
  ASSERT_TRUE(events && events->size() == 1);
  EXPECT_EQ(events->at(0).type, EventType::kDeleted);
  EXPECT_EQ(events->at(0).before, before);
}

TEST(ObjectStore, ListenersHearEveryChangeInOrderEvenThoseMadeWhileListening) {
  ObjectStore store;
  std::vector<uint64_t> first;
  std::vector<uint64_t> second;
  store.on_change.push_back([&](const StoreEvent& event) {
    EXPECT_NE(store.find(event.object->key), nullptr);
    first.push_back(event.resource_version);
    if (event.object->key.name == "a") store.put(pod_key("b"), pod("b"));
  });
  store.on_change.push_back([&](const StoreEvent& e) { second.push_back(e.resource_version); });
  store.put(pod_key("a"), pod("a"));
  EXPECT_EQ(first, (std::vector<uint64_t>{1, 2}));
  EXPECT_EQ(second, first);
}

TEST(ObjectStore, ForgetsBeyondItsBoundsAndSaysSo) {
  ObjectStore store(3);
  store.put({"nodes", "", "n"}, pod("n"));
  for (int i = 0; i < 5; ++i) store.put(pod_key("a"), pod("a"));  // versions 2 to 6
  EXPECT_FALSE(store.since("pods", 2));
  ASSERT_TRUE(store.since("pods", 3));
  EXPECT_EQ(store.since("pods", 3)->size(), 3u);
  EXPECT_EQ(store.since("pods", 6)->size(), 0u);
  EXPECT_EQ(store.since("pods", 99)->size(), 0u);
  EXPECT_FALSE(store.since("nodes", 0));
  EXPECT_TRUE(store.since("nodes", 1)->empty());     // nothing of nodes was forgotten since
  EXPECT_TRUE(store.since("services", 0)->empty());  // there never was one
}

TEST(ObjectStore, HistoryIsBoundedByBytes) {
  ObjectStore store(1000, 50'000);
  Json large = pod("a");
  large["data"] = std::string(10'000, 'x');
  for (int i = 0; i < 50; ++i) store.put(pod_key("a"), large);
  ASSERT_TRUE(store.since("pods", 47));
  EXPECT_FALSE(store.since("pods", 45));
  large["data"] = std::string(60'000, 'x');  // alone too much: nothing is kept, nothing is wrong
  store.put(pod_key("a"), large);
  EXPECT_FALSE(store.since("pods", 50));
  EXPECT_TRUE(store.since("pods", 51)->empty());
  store.put(pod_key("b"), pod("b"));
  EXPECT_EQ(store.since("pods", 51)->size(), 1u);
}

TEST(ObjectStore, GoesOnAfterARestart) {
  ObjectStore before;
  before.put(pod_key("a"), pod("a"));
  before.put(pod_key("b"), pod("b"));
  before.remove(pod_key("b"));
  ObjectStore store;
  size_t heard = 0;
  store.on_change.push_back([&heard](const StoreEvent&) { ++heard; });
  ASSERT_TRUE(store.restore(pod_key("a"), before.find(pod_key("a"))->json).ok());
  store.restore_version(3);
  EXPECT_EQ(heard, 0u);
  EXPECT_EQ(store.find(pod_key("a"))->json, before.find(pod_key("a"))->json);
  EXPECT_EQ(store.find(pod_key("a"))->uid, "uid-a");
  EXPECT_FALSE(store.since("pods", 2));
  EXPECT_FALSE(store.since("services", 2));
  EXPECT_TRUE(store.since("pods", 3)->empty());
  EXPECT_EQ(store.put(pod_key("a"), pod("a"))->resource_version, 4u);
  EXPECT_EQ(store.since("pods", 3)->size(), 1u);
}

TEST(ObjectStore, RefusesToRestoreWhatIsNoObject) {
  ObjectStore store;
  for (const char* text :
       {"", "{", "[]", "{}", R"({"metadata":1})", R"({"metadata":{}})",
        R"({"metadata":{"resourceVersion":1}})", R"({"metadata":{"resourceVersion":"x"}})",
        R"({"metadata":{"resourceVersion":"99999999999999999999"}})"}) {
    EXPECT_FALSE(store.restore(pod_key("a"), text).ok()) << text;
  }
  EXPECT_EQ(store.count("pods"), 0u);
}

// Against a checker that keeps everything: what since() gives is the tail of all that happened, and
// what it refuses is really gone.
TEST(ObjectStore, HistoryIsTheTailOfAllThatHappened) {
  EXPECT_TRUE(rc::check([](const std::vector<std::pair<uint8_t, bool>>& steps) {
    ObjectStore store(8, 20 * (sizeof(Document) + 120));
    std::vector<StoreEvent> all;
    store.on_change.push_back([&all](const StoreEvent& event) { all.push_back(event); });
    for (const auto& [which, removes] : steps) {
      const std::string name(1, static_cast<char>('a' + which % 3));
      const ObjectKey key{which % 2 == 0 ? "pods" : "nodes", "", name};
      if (removes) {
        store.remove(key);
      } else {
        store.put(key, pod(name));
      }
    }
    RC_ASSERT(all.size() == store.resource_version());
    for (const char* resource : {"pods", "nodes"}) {
      for (uint64_t version = 0; version <= store.resource_version(); ++version) {
        std::vector<uint64_t> expected;
        for (const StoreEvent& event : all) {
          if (event.object->key.resource == resource && event.resource_version > version) {
            expected.push_back(event.resource_version);
          }
        }
        const auto got = store.since(resource, version);
        if (!got) {
          RC_ASSERT(all.size() - version > 8 || expected.size() > 0);
          continue;
        }
        std::vector<uint64_t> versions;
        for (const StoreEvent& event : *got) versions.push_back(event.resource_version);
        RC_ASSERT(versions == expected);
      }
      // The last change is always kept under these bounds.
      RC_ASSERT(store.resource_version() == 0 ||
                store.since(resource, store.resource_version() - 1).has_value());
    }
  }));
}

}  // namespace
}  // namespace windlass::cluster
