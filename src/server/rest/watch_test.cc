// The laws of watching: from version n exactly the changes after n that match, in order; a list and
// a watch from it come to the final state.
#include <algorithm>

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "server/rest/rest_fixture.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kMaps = "/api/v1/namespaces/default/configmaps";

std::string version_of(const Reply& reply) { return reply.meta("resourceVersion"); }

// "ADDED a" for each event.
std::vector<std::string> told(FakeStream& stream) {
  std::vector<std::string> out;
  for (const Json& event : stream.take()) {
    out.push_back(event["type"].get<std::string>() + " " +
                  text_at(at(event, "object", "metadata"), "name"));
  }
  return out;
}

using Lines = std::vector<std::string>;

TEST(Watch, TellsChangesFromAVersionOn) {
  Api api;
  api.post(kMaps, config_map("a"));
  const std::string from = version_of(api.get(kMaps));
  api.post(kMaps, config_map("b"));
  const auto stream = api.watch(std::string(kMaps) + "?watch=true&resourceVersion=" + from);
  ASSERT_NE(stream, nullptr);
  EXPECT_EQ(told(*stream), (Lines{"ADDED b"}));
  api.patch(std::string(kMaps) + "/a", "merge-patch+json", {{"data", {{"k", "v"}}}});
  api.post("/api/v1/namespaces/kube-system/configmaps", config_map("elsewhere"));
  const Json gone = api.get(std::string(kMaps) + "/b").body;
  api.del(std::string(kMaps) + "/b");
  const auto events = stream->take();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["type"], "MODIFIED");
  EXPECT_EQ(events[1]["type"], "DELETED");
  EXPECT_GT(std::stoull(events[1]["object"]["metadata"]["resourceVersion"].get<std::string>()),
            std::stoull(gone["metadata"]["resourceVersion"].get<std::string>()))
      << "a deletion carries its own version";
  EXPECT_EQ(api.api.watchers(), 1u);
  stream->end();
  api.post(kMaps, config_map("c"));
  EXPECT_EQ(api.api.watchers(), 0u);
}

TEST(Watch, WithoutAVersionBeginsWithTheState) {
  Api api;
  api.post(kMaps, config_map("a"));
  for (const char* version : {"", "&resourceVersion=0"}) {
    const auto stream = api.watch(std::string(kMaps) + "?watch=1" + version);
    EXPECT_EQ(told(*stream), (Lines{"ADDED a"}));
  }
}

TEST(Watch, StreamsListsWithABookmarkAtTheirEnd) {
  Api api;
  api.post(kMaps, config_map("a"));
  const std::string path = std::string(kMaps) + "?watch=1&sendInitialEvents=true";
  const auto stream =
      api.watch(path + "&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true");
  ASSERT_NE(stream, nullptr);
  const auto events = stream->take();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[1]["type"], "BOOKMARK");
  EXPECT_EQ(events[1]["object"]["kind"], "ConfigMap");
  EXPECT_EQ(at(events[1], "object", "metadata", "annotations")["k8s.io/initial-events-end"],
            "true");
  EXPECT_EQ(api.get(path).code, 422) << "resourceVersionMatch must be given";
  api.del(std::string(kMaps) + "/a");
  EXPECT_EQ(told(*stream), (Lines{"DELETED a"}));
}

TEST(Watch, ObjectsEnterAndLeaveSelectors) {
  Api api;
  const auto stream = api.watch(std::string(kMaps) + "?watch=1&labelSelector=on=yes");
  const auto label = [&](const char* value) {
    return api.patch(std::string(kMaps) + "/a", "merge-patch+json",
                     {{"metadata", {{"labels", {{"on", value}}}}}});
  };
  api.post(kMaps, config_map("a"));
  EXPECT_EQ(told(*stream), Lines{});
  label("yes");
  EXPECT_EQ(told(*stream), (Lines{"ADDED a"}));
  label("yes");
  EXPECT_EQ(told(*stream), Lines{});
  const Reply left = label("no");
  const auto events = stream->take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["type"], "DELETED");
  EXPECT_EQ(at(events[0], "object", "metadata", "labels")["on"], "yes") << "as last seen";
  EXPECT_EQ(at(events[0], "object", "metadata")["resourceVersion"], left.meta("resourceVersion"));
  api.del(std::string(kMaps) + "/a");
  EXPECT_EQ(told(*stream), Lines{});
}

TEST(Watch, TooOldAndTooNew) {
  ApiOptions options;
  Api api(std::move(options));
  EXPECT_EQ(api.get(std::string(kMaps) + "?watch=1&resourceVersion=99999").code, 504);
  api.store.restore_version(api.store.resource_version() + 10);
  const auto stream = api.watch(std::string(kMaps) + "?watch=1&resourceVersion=1");
  ASSERT_NE(stream, nullptr);
  const auto events = stream->take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0]["type"], "ERROR");
  EXPECT_EQ(events[0]["object"]["code"], 410);
  EXPECT_EQ(events[0]["object"]["reason"], "Expired");
  EXPECT_TRUE(stream->closed());
}

TEST(Watch, BookmarksEachMinuteAndEndsInTime) {
  Api api;
  const auto stream =
      api.watch(std::string(kMaps) + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=150");
  const auto silent = api.watch(std::string(kMaps) + "?watch=1&timeoutSeconds=150");
  api.pass(seconds(61));
  EXPECT_EQ(told(*stream), (Lines{"BOOKMARK "}));
  api.post(kMaps, config_map("a"));
  stream->take();
  api.pass(seconds(60));
  const auto events = stream->take();
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(at(events[0], "object", "metadata")["resourceVersion"],
            std::to_string(api.store.resource_version()));
  api.pass(seconds(60));
  EXPECT_EQ(told(*stream), (Lines{"BOOKMARK "})) << "and at the end";
  EXPECT_TRUE(stream->closed());
  EXPECT_EQ(told(*silent), (Lines{"ADDED a"}));
  EXPECT_TRUE(silent->closed());
}

// What waits for the journal is not covered by a bookmark, but what was covered before stays so.
TEST(Watch, BookmarksNeverGoBack) {
  Api api;
  const auto stream =
      api.watch(std::string(kMaps) + "?watch=1&allowWatchBookmarks=true&timeoutSeconds=600");
  api.post("/api/v1/namespaces", {{"metadata", {{"name", "elsewhere"}}}});
  api.pass(seconds(61));
  const auto first = stream->take();
  ASSERT_EQ(first.size(), 1u);
  // Written, and not yet flushed when the next bookmark is due.
  api.store.put(
      {"namespaces", "", "unflushed"},
      {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", {{"name", "unflushed"}}}});
  api.pass(seconds(60));
  const auto second = stream->take();
  ASSERT_EQ(second.size(), 1u);
  EXPECT_EQ(at(second[0], "object", "metadata")["resourceVersion"],
            at(first[0], "object", "metadata")["resourceVersion"]);
}

TEST(Watch, TablesNameTheirColumnsOnce) {
  Api api;
  const auto stream =
      api.watch(std::string(kMaps) + "?watch=1", "application/json;as=Table;v=v1;g=meta.k8s.io");
  api.post(kMaps, config_map("a"));
  api.post(kMaps, config_map("b"));
  const auto events = stream->take();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0]["object"]["kind"], "Table");
  EXPECT_FALSE(events[0]["object"]["columnDefinitions"].empty());
  EXPECT_EQ(events[1]["object"]["columnDefinitions"], nullptr);
  EXPECT_EQ(events[1]["object"]["rows"][0]["cells"][0], "b");
}

TEST(Watch, WatchersThatSeeTheSameShareTheBytes) {
  Api api;
  const auto one = api.watch(std::string(kMaps) + "?watch=1");
  const auto two = api.watch("/api/v1/configmaps?watch=1");
  api.post(kMaps, config_map("a"));
  ASSERT_FALSE(one->pieces.empty());
  EXPECT_EQ(one->pieces.back(), two->pieces.back());
}

// Any interleaving of writes against the plainest model: a map from names to label values.
TEST(Watch, AnyHistoryIsToldExactly) {
  rc::check("a list and a watch from it give the final state", [] {
    Api api;
    const auto steps = *rc::gen::container<std::vector<std::pair<int, int>>>(
        rc::gen::pair(rc::gen::inRange(0, 5), rc::gen::inRange(0, 3)));
    const auto from = *rc::gen::inRange<size_t>(0, steps.size() + 1);
    const bool flush_late = *rc::gen::arbitrary<bool>();
    std::map<std::string, std::string> model;
    std::map<std::string, std::string> seen;
    std::shared_ptr<FakeStream> stream;
    Lines expected;
    const auto start = [&] {
      const Reply list = api.get(std::string(kMaps) + "?labelSelector=on=1");
      for (const Json& item : list.body["items"]) {
        seen[item["metadata"]["name"]] = item["metadata"]["labels"]["on"];
      }
      stream = api.watch(std::string(kMaps) +
                         "?watch=1&labelSelector=on=1&resourceVersion=" + version_of(list));
    };
    const auto write = [&](Request request) {
      if (flush_late) {
        api.api.handle(request, std::make_shared<FakeExchange>());
      } else {
        api.send(request);
      }
    };
    for (size_t i = 0; i < steps.size(); ++i) {
      if (i == from) start();
      const std::string name = std::string(1, static_cast<char>('a' + steps[i].first));
      const std::string on = std::to_string(steps[i].second);
      const auto before = model.find(name);
      const bool was = before != model.end() && before->second == "1";
      const bool changes = before == model.end() ? steps[i].second != 2 : before->second != on;
      if (steps[i].second == 2) {  // deletes
        write(api.request("DELETE", std::string(kMaps) + "/" + name));
        if (i >= from && was) expected.push_back("DELETED " + name);
        model.erase(name);
        continue;
      }
      Json object = config_map(name);
      object["metadata"]["labels"] = {{"on", on}};
      const bool exists = before != model.end();
      write(exists ? api.request("PUT", std::string(kMaps) + "/" + name, object.dump())
                   : api.request("POST", kMaps, object.dump()));
      const bool is = on == "1";
      if (i >= from && changes && (was || is)) {
        expected.push_back((is ? "ADDED " : "DELETED ") + name);
      }
      model[name] = on;
    }
    if (from >= steps.size()) start();
    api.api.flush();
    Lines lines;
    uint64_t last = 0;
    for (const Json& event : stream->take()) {
      const std::string name = event["object"]["metadata"]["name"];
      const uint64_t version =
          std::stoull(event["object"]["metadata"]["resourceVersion"].get<std::string>());
      RC_ASSERT(version > last);
      last = version;
      lines.push_back(event["type"].get<std::string>() + " " + name);
      if (event["type"] == "DELETED") {
        seen.erase(name);
      } else {
        seen[name] = "1";
      }
    }
    RC_ASSERT(lines == expected);
    std::erase_if(model, [](const auto& entry) { return entry.second != "1"; });
    RC_ASSERT(seen == model);
  });
}

}  // namespace
}  // namespace windlass::server::rest
