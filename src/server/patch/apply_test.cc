#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <rapidcheck/gtest.h>

#include "server/patch/managed_fields.h"
#include "server/patch/patch.h"
#include "server/patch/test_shapes.h"
#include "server/patch/typed_fields.h"

namespace windlass::server::patch {
namespace {

using schema::Kind;
using schema::ListType;
using schema::Shape;

constexpr Instant kStart{1'000'000'000'000'000'000};  // 2001-09-09T01:46:40Z

const Shape& deployment() { return *schema::built_in("apps", "v1", "Deployment"); }

Manager manager(std::string name, int second = 0, std::string subresource = "") {
  return {std::move(name), "apps/v1", std::move(subresource), kStart + seconds(second)};
}

Json config(const char* spec, const char* labels = "{}") {
  return {{"apiVersion", "apps/v1"},
          {"kind", "Deployment"},
          {"metadata", {{"name", "d"}, {"labels", Json::parse(labels)}}},
          {"spec", Json::parse(spec)}};
}

Json applied(const Json& live, const Json& wanted, const Manager& by, bool force = false) {
  const Result<Applied> result = apply(live, wanted, deployment(), by, force);
  if (!result) {
    ADD_FAILURE() << result.error().message();
    return nullptr;
  }
  for (const ApplyConflict& conflict : result->conflicts) ADD_FAILURE() << conflict.field;
  return result->object;
}

std::vector<std::string> conflicts(const Json& live, const Json& wanted, const Manager& by) {
  const Result<Applied> result = apply(live, wanted, deployment(), by, false);
  std::vector<std::string> found;
  if (!result) return {result.error().message()};
  EXPECT_TRUE(found.empty() || result->object.is_null());
  for (const ApplyConflict& conflict : result->conflicts) {
    found.push_back(conflict.manager + " " + conflict.field);
  }
  return found;
}

std::vector<std::string> owned_by(const Json& object, const std::string& name) {
  const Result<ManagedFields> managed = read_managed_fields(managed_fields_of(object));
  if (!managed) return {managed.error().message()};
  FieldSet fields;
  for (const auto& [owner, owned] : *managed) {
    if (owner.manager == name) fields = unite(std::move(fields), owned.fields);
  }
  return paths_of(fields);
}

using Paths = std::vector<std::string>;

// ---- What Kubernetes' own machinery makes of chance histories.

struct Recorded {
  const char* kind;
  const char* steps;
  const char* object;
};
const Recorded kRecorded[] = {
#include "server/patch/apply_cases.inc"
};

std::string printed(const ApplyConflict& conflict) {
  std::string text = "conflict with \"" + conflict.manager + "\"";
  if (!conflict.subresource.empty()) {
    text += " with subresource \"" + conflict.subresource + "\"";
  }
  if (!conflict.apply) text += " using " + conflict.api_version;
  return text + " | " + conflict.field;
}

void replay(const Recorded& recorded, const Shape& shape, const std::string& version) {
  Json live;
  int second = 0;
  for (const Json& step : Json::parse(recorded.steps)) {
    const Manager by{step["manager"], version, step.value("subresource", ""),
                     kStart + seconds(second++)};
    if (step["verb"] == "apply") {
      const auto result = apply(live, step["object"], shape, by, step.value("force", false));
      ASSERT_TRUE(result.ok()) << result.error().message();
      Json found = Json::array();
      for (const ApplyConflict& conflict : result->conflicts) found.push_back(printed(conflict));
      std::sort(found.begin(), found.end());
      EXPECT_EQ(found, step.value("conflicts", Json::array()));
      if (!result->conflicts.empty()) continue;
      live = result->object;
    } else {
      Json after = step.contains("object") ? step["object"] : live;
      if (after.is_null()) after = {{"apiVersion", version}, {"kind", recorded.kind}};
      if (step.contains("patch")) after = merge_patch(std::move(after), step["patch"]);
      track_update(live, after, shape, by);
      live = std::move(after);
    }
    live["metadata"]["uid"] = "u1";
  }
  EXPECT_EQ(live, Json::parse(recorded.object)) << recorded.steps;
}

TEST(Apply, AsKubernetesDoes) {
  const Shape undeclared;
  for (const Recorded& recorded : kRecorded) {
    const std::string kind = recorded.kind;
    if (kind == "Custom") {
      replay(recorded, undeclared, "x.io/v1");
    } else {
      const bool apps = kind == "Deployment";
      replay(recorded, *schema::built_in(apps ? "apps" : "", "v1", kind), apps ? "apps/v1" : "v1");
    }
  }
}

// ---- Stories.

TEST(Apply, CreatesAndOwnsWhatItNames) {
  const Json made = applied(nullptr, config(R"({"replicas":2})", R"({"app":"x"})"), manager("a"));
  EXPECT_EQ(made["spec"]["replicas"], 2);
  EXPECT_EQ(made["metadata"]["managedFields"],
            Json::parse(R"([{"manager":"a","operation":"Apply","apiVersion":"apps/v1",
              "time":"2001-09-09T01:46:40Z","fieldsType":"FieldsV1","fieldsV1":
              {"f:metadata":{"f:labels":{"f:app":{}}},"f:spec":{"f:replicas":{}}}}])"));
}

TEST(Apply, ConflictsNameTheFieldsAsKubernetesDoes) {
  const Json live =
      applied(nullptr,
              config(R"({"replicas":2,"template":{"spec":{"containers":[{"name":"app","image":"x:1",
                 "ports":[{"containerPort":80,"name":"p"}]}]}}})",
                     R"({"app":"x","example.com/y":"1"})"),
              manager("owner"));
  const Json other = config(
      R"({"replicas":3,"template":{"spec":{"containers":[{"name":"app","image":"x:2",
          "ports":[{"containerPort":80,"name":"q"}]}]}}})",
      R"({"app":"x","example.com/y":"2"})");
  const std::string containers = R"(owner .spec.template.spec.containers[name="app"])";
  // The label that has the same value already is shared, not fought over.
  EXPECT_EQ(
      conflicts(live, other, manager("other")),
      (Paths{"owner .metadata.labels.example.com/y", "owner .spec.replicas", containers + ".image",
             containers + R"(.ports[containerPort=80,protocol="TCP"].name)"}));
  const Json forced = applied(live, other, manager("other"), true);
  EXPECT_EQ(forced["spec"]["replicas"], 3);
  EXPECT_EQ(owned_by(forced, "owner").front(), ".metadata.labels.app");
  EXPECT_EQ(conflicts(forced, other, manager("other")), Paths{});
}

TEST(Apply, RemovesWhatIsNoLongerNamedUnlessOthersOwnIt) {
  Json live = applied(nullptr, config(R"({"replicas":2,"paused":true})", R"({"a":"1","b":"1"})"),
                      manager("one"));
  live = applied(live, config("{}", R"({"b":"1"})"), manager("two", 1));
  live = applied(live, config(R"({"replicas":2})", "{}"), manager("one", 2));
  EXPECT_EQ(live["spec"], Json::parse(R"({"replicas":2})"));
  EXPECT_EQ(live["metadata"]["labels"], Json::parse(R"({"b":"1"})"));
}

TEST(Apply, RemovesAnItemThatItAloneOwned) {
  const char* const both = R"({"template":{"spec":{"containers":[{"name":"a","image":"i"},
                               {"name":"b","image":"i"}]}}})";
  const char* const one = R"({"template":{"spec":{"containers":[{"name":"a","image":"i"}]}}})";
  Json live = applied(nullptr, config(both), manager("me"));
  const Json alone = applied(live, config(one), manager("me", 1));
  EXPECT_EQ(alone["spec"], Json::parse(one));
  // Another's field in the item keeps the item, but not what only this manager owned.
  live = applied(live, config(R"({"template":{"spec":{"containers":[{"name":"b","tty":true}]}}})"),
                 manager("other", 1));
  const Json shared = applied(live, config(one), manager("me", 2));
  EXPECT_EQ(shared["spec"]["template"]["spec"]["containers"],
            Json::parse(R"([{"name":"a","image":"i"},{"name":"b","tty":true}])"));
}

TEST(Apply, KeepsTheOrderOfBoth) {
  const auto order_after = [](const char* live_names, const char* wanted_names) {
    const auto spec = [](const char* names) {
      Json object = config(R"({"template":{"spec":{"containers":[]}}})");
      for (const char name : std::string(names)) {
        object["spec"]["template"]["spec"]["containers"].push_back(
            {{"name", std::string(1, name)}});
      }
      return object;
    };
    const Json live = applied(nullptr, spec(live_names), manager("first"));
    const Json both = applied(live, spec(wanted_names), manager("second"));
    std::string names;
    for (const Json& c : both["spec"]["template"]["spec"]["containers"]) {
      names += c["name"].get<std::string>();
    }
    return names;
  };
  EXPECT_EQ(order_after("abc", "d"), "abcd");
  EXPECT_EQ(order_after("abc", "b"), "abc");
  EXPECT_EQ(order_after("abc", "ca"), "bca");
  EXPECT_EQ(order_after("abc", "xb"), "axbc");
  EXPECT_EQ(order_after("abc", "bx"), "abcx");
  EXPECT_EQ(order_after("abc", "cxa"), "bcxa");
}

TEST(Apply, RefusesWhatIsNoConfiguration) {
  const auto error_of = [](const Json& wanted) {
    const auto result = apply(nullptr, wanted, deployment(), manager("a"), false);
    return result.ok() ? std::string("fine") : result.error().message();
  };
  EXPECT_EQ(error_of(Json::array()), "an apply configuration is an object");
  Json managed = config("{}");
  managed["metadata"]["managedFields"] = Json::array();
  EXPECT_EQ(error_of(managed), "metadata.managedFields must be nil");
  EXPECT_EQ(error_of(config(R"({"template":{"spec":{"containers":[{"name":"a"},{"name":"a"}]}}})")),
            "failed to create typed patch object: .spec.template.spec.containers: duplicate "
            "entries for key [name=\"a\"]");
  EXPECT_EQ(error_of(config(R"({"template":{"spec":{"containers":[{"image":"a"}]}}})")),
            "failed to create typed patch object: .spec.template.spec.containers: element 0: an "
            "item of the list omits all of its keys (name)");
  EXPECT_EQ(error_of(config(R"({"template":{"spec":{"containers":{"name":"a"}}}})")),
            "failed to create typed patch object: .spec.template.spec.containers: expected list, "
            "got object");
  EXPECT_EQ(error_of(config(R"({"template":[]})")),
            "failed to create typed patch object: .spec.template: expected map, got array");
}

TEST(Apply, KubectlMovesFromItsAnnotationToTheServerWithoutConflict) {
  Json live = config(R"({"replicas":2})", R"({"app":"x"})");
  live["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"] =
      config(R"({"replicas":2})", R"({"app":"x"})").dump();
  track_update(nullptr, live, deployment(), manager("kubectl-client-side-apply"));
  const Json wanted = config(R"({"replicas":5})", R"({"app":"y"})");
  EXPECT_EQ(conflicts(live, wanted, manager("argo")),
            (Paths{"kubectl-client-side-apply .metadata.labels.app",
                   "kubectl-client-side-apply .spec.replicas"}));
  const Json moved = applied(live, wanted, manager("kubectl", 1));
  EXPECT_EQ(moved["spec"]["replicas"], 5);
  const std::string annotation =
      moved["metadata"]["annotations"]["kubectl.kubernetes.io/last-applied-configuration"];
  EXPECT_EQ(annotation, wanted.dump() + "\n");
  // What somebody changed since isn't kubectl's any more.
  Json scaled = live;
  scaled["spec"]["replicas"] = 3;
  track_update(live, scaled, deployment(), manager("scaler", 1));
  EXPECT_EQ(conflicts(scaled, wanted, manager("kubectl", 2)), Paths{"scaler .spec.replicas"});
}

TEST(Apply, WhatWasThereBeforeBelongsToAnEntryOfItsOwn) {
  const Json live = config(R"({"replicas":2})");
  EXPECT_EQ(conflicts(live, config(R"({"replicas":3})"), manager("a")),
            Paths{"before-first-apply .spec.replicas"});
}

TEST(Apply, KeepsSubresourcesAndOperationsApart) {
  Json live = applied(nullptr, config(R"({"replicas":2})"), manager("a"));
  Json scaled = live;
  scaled["spec"]["replicas"] = 4;
  track_update(live, scaled, deployment(), manager("a", 5, "scale"));
  const Json& entries = scaled["metadata"]["managedFields"];
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0]["operation"], "Apply");
  EXPECT_FALSE(entries[0].contains("subresource"));
  EXPECT_EQ(entries[1]["subresource"], "scale");
  const auto result =
      apply(scaled, config(R"({"replicas":2})"), deployment(), manager("a", 6), false);
  ASSERT_TRUE(result.ok());
  ASSERT_EQ(result->conflicts.size(), 1U);
  EXPECT_EQ(printed(result->conflicts[0]),
            R"(conflict with "a" with subresource "scale" using apps/v1 | .spec.replicas)");
}

TEST(Apply, ListKeysOfCustomKindsHaveTheirDefaults) {
  Shapes shapes;
  Shape* const protocol = shapes.add(Kind::kString);
  protocol->written = std::make_shared<const Json>(Json{{"default", "UDP"}});
  const Shape* const port =
      shapes.object({{"port", shapes.add(Kind::kInteger)}, {"protocol", protocol}});
  const Shape* const ports = shapes.list(port, ListType::kMap, {"port", "protocol"});
  EXPECT_EQ(*item_step(*ports, Json{{"port", 1}}), R"(k:{"port":1,"protocol":"UDP"})");
  EXPECT_EQ(*item_step(*ports, Json{{"port", 1}, {"protocol", "X"}}),
            R"(k:{"port":1,"protocol":"X"})");
  EXPECT_FALSE(item_step(*ports, 1).ok());
  const Shape* const names = shapes.list(shapes.add(Kind::kString), ListType::kSet);
  EXPECT_EQ(*item_step(*names, "a"), R"(v:"a")");
  EXPECT_FALSE(item_step(*names, Json::array()).ok());
}

// ---- Laws.

Json random_config(const std::vector<std::string>& containers = {"a", "b", "c"}) {
  Json object = config("{}");
  for (const char* label : {"x", "y"}) {
    if (*rc::gen::arbitrary<bool>()) {
      object["metadata"]["labels"][label] = *rc::gen::element<std::string>("1", "2");
    }
  }
  if (*rc::gen::arbitrary<bool>()) object["spec"]["replicas"] = *rc::gen::inRange(1, 4);
  if (*rc::gen::arbitrary<bool>()) object["spec"]["selector"]["matchLabels"]["a"] = "1";
  for (const std::string& name : containers) {
    if (*rc::gen::arbitrary<bool>()) continue;
    Json container = {{"name", name}};
    if (*rc::gen::arbitrary<bool>()) container["image"] = *rc::gen::element<std::string>("i", "j");
    if (*rc::gen::arbitrary<bool>()) container["args"] = {"-v"};
    if (*rc::gen::arbitrary<bool>()) container["env"] = {{{"name", "E"}, {"value", "1"}}};
    object["spec"]["template"]["spec"]["containers"].push_back(container);
  }
  return object;
}

Json forced(const Json& live, const Json& wanted, const Manager& by) {
  const Result<Applied> result = apply(live, wanted, deployment(), by, true);
  RC_ASSERT(result.ok());
  RC_ASSERT(result->conflicts.empty());
  return result->object;
}

RC_GTEST_PROP(ApplyLaw, TwiceIsOnce, ()) {
  const Json live = forced(nullptr, random_config(), manager("first"));
  const Json wanted = random_config();
  const Json once = forced(live, wanted, manager("second", 1));
  RC_ASSERT(forced(once, wanted, manager("second", 2)) == once);
}

RC_GTEST_PROP(ApplyLaw, AfterForceTheObjectSaysWhatWasApplied, ()) {
  Json live = forced(nullptr, random_config(), manager("first"));
  live = forced(live, random_config(), manager("second", 1));
  const Json wanted = random_config();
  const Json result = forced(live, wanted, manager("third", 2));
  const FieldSet mine = fields_of(wanted, &deployment());
  Json bare = result;
  bare["metadata"].erase("managedFields");
  // Laying the configuration over the result changes nothing.
  const Json again = forced(result, wanted, manager("third", 3));
  RC_ASSERT(again == result);
  // Everything named is there, and changed fields have no other owner.
  const FieldSet there = with_named(fields_of(bare, &deployment()), &deployment());
  RC_ASSERT(subtract(mine, there).empty());
  const Changes changes = compare(&live, &result, &deployment());
  const FieldSet changed = without_unowned(unite(changes.added, changes.modified));
  const ManagedFields managed = *read_managed_fields(managed_fields_of(result));
  for (const auto& [owner, owned] : managed) {
    if (owner.manager != "third") RC_ASSERT(intersect(owned.fields, changed).empty());
  }
}

RC_GTEST_PROP(ApplyLaw, DisjointManagersLeaveEachOtherAlone, ()) {
  Json one = random_config({"a", "b"});
  Json two = random_config({"c", "d"});
  one["metadata"].erase("labels");
  two["spec"].erase("replicas");
  two["spec"].erase("selector");
  const Json live = forced(nullptr, one, manager("one"));
  const auto both = apply(live, two, deployment(), manager("two", 1), false);
  RC_ASSERT(both.ok());
  RC_ASSERT(both->conflicts.empty());
  RC_ASSERT(owned_by(both->object, "one") == owned_by(live, "one"));
  // When the second lets go of everything, the first's object is back.
  const Json alone = forced(both->object, config("{}"), manager("two", 2));
  RC_ASSERT(owned_by(alone, "one") == owned_by(live, "one"));
  // (An object left empty is as good as none.)
  RC_ASSERT(alone.value("spec", Json::object()) == live.value("spec", Json::object()));
}

RC_GTEST_PROP(ApplyLaw, AnUpdateThatChangesNothingChangesNothing, ()) {
  Json live = forced(nullptr, random_config(), manager("one"));
  live = forced(live, random_config(), manager("two", 1));
  Json after = live;
  track_update(live, after, deployment(), manager("three", 9));
  RC_ASSERT(after == live);
}

RC_GTEST_PROP(ApplyLaw, AnUpdateTakesExactlyWhatItChanges, ()) {
  const Json live = forced(nullptr, random_config(), manager("one"));
  Json after = random_config();
  track_update(live, after, deployment(), manager("two", 1));
  const Changes changes = compare(&live, &after, &deployment());
  const FieldSet taken = without_unowned(unite(changes.added, changes.modified));
  FieldSet others;
  FieldSet own;
  const ManagedFields managed = *read_managed_fields(managed_fields_of(after));
  for (const auto& [owner, owned] : managed) {
    (owner.manager == "two" ? own : others) = owned.fields;
  }
  RC_ASSERT(own == taken);
  RC_ASSERT(intersect(others, unite(taken, changes.removed)).empty());
}

}  // namespace
}  // namespace windlass::server::patch
