#include <set>

#include <gtest/gtest.h>

#include "server/schema/shape.h"

namespace windlass::server::schema {
namespace {

const Shape* at(const Shape* shape, std::initializer_list<const char*> path) {
  for (const char* name : path) {
    if (shape->kind == Kind::kList || shape->kind == Kind::kMap) shape = shape->element;
    const Field* field = shape->field(name);
    EXPECT_NE(field, nullptr) << name;
    if (field == nullptr) return nullptr;
    shape = field->shape;
  }
  return shape;
}

TEST(BuiltIn, FindsKindsByGroupVersionKind) {
  for (const auto& [group, version, kind] : std::vector<std::array<const char*, 3>>{
           {"", "v1", "Pod"},
           {"", "v1", "PodList"},
           {"apps", "v1", "Deployment"},
           {"autoscaling", "v2", "HorizontalPodAutoscaler"},
           {"autoscaling", "v1", "Scale"},
           {"policy", "v1", "Eviction"},
           {"rbac.authorization.k8s.io", "v1", "ClusterRole"},
           {"authentication.k8s.io", "v1", "TokenRequest"},
           {"apiextensions.k8s.io", "v1", "CustomResourceDefinition"},
           {"meta.k8s.io", "v1", "DeleteOptions"},
           {"policy", "v1", "DeleteOptions"},
           {"", "v1", "Status"}}) {
    EXPECT_NE(built_in(group, version, kind), nullptr) << group << version << kind;
  }
  EXPECT_EQ(built_in("apps", "v1", "Pod"), nullptr);
  EXPECT_EQ(built_in("", "v2", "Pod"), nullptr);
  EXPECT_EQ(built_in("", "v1", "PodSpec"), nullptr);
}

TEST(BuiltIn, FieldsCarryTheFactsOfTheApi) {
  const Shape* deployment = built_in("apps", "v1", "Deployment");
  const Field* replicas = at(deployment, {"spec"})->field("replicas");
  EXPECT_EQ(replicas->shape->kind, Kind::kInteger);
  EXPECT_EQ(replicas->shape->format, "int32");
  EXPECT_EQ(replicas->proto_number, 1u);
  EXPECT_FALSE(replicas->absent_when_zero);
  EXPECT_TRUE(at(deployment, {"spec"})->field("selector")->required);
  EXPECT_TRUE(at(deployment, {"spec"})->field("strategy")->patch_retain_keys);

  const Field* containers = at(deployment, {"spec", "template", "spec"})->field("containers");
  EXPECT_TRUE(containers->patch_merge);
  EXPECT_EQ(containers->patch_merge_key, "name");
  EXPECT_EQ(containers->shape->list_type, ListType::kMap);
  EXPECT_EQ(containers->shape->list_map_keys, std::vector<std::string>{"name"});
  const Shape* ports = containers->shape->element->field("ports")->shape;
  EXPECT_EQ(ports->list_map_keys, (std::vector<std::string>{"containerPort", "protocol"}));

  EXPECT_TRUE(at(deployment, {"spec", "selector"})->atomic);
  EXPECT_EQ(object_meta()->field("finalizers")->shape->list_type, ListType::kSet);
  EXPECT_EQ(object_meta()->name, "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta");
  EXPECT_EQ(at(deployment, {"metadata"}), object_meta());
}

TEST(BuiltIn, InlinedMessagesKeepTheirNumbers) {
  const Shape* volume = at(built_in("", "v1", "Pod"), {"spec", "volumes"})->element;
  EXPECT_EQ(volume->field("emptyDir")->proto_inside, std::vector<uint32_t>{2});
  EXPECT_EQ(volume->field("emptyDir")->proto_number, 2u);
  EXPECT_TRUE(volume->field("name")->proto_inside.empty());
}

TEST(BuiltIn, EveryShapeIsWhole) {
  std::set<const Shape*> seen;
  std::vector<const Shape*> open;
  for (const BuiltInKind& kind : built_in_kinds()) open.push_back(kind.shape);
  while (!open.empty()) {
    const Shape* shape = open.back();
    open.pop_back();
    if (!seen.insert(shape).second) continue;
    if (shape->kind == Kind::kList || shape->kind == Kind::kMap) {
      ASSERT_NE(shape->element, nullptr);
      open.push_back(shape->element);
    }
    for (size_t i = 0; i < shape->fields.size(); ++i) {
      if (i > 0) {
        EXPECT_LT(shape->fields[i - 1].name, shape->fields[i].name) << shape->name;
      }
      EXPECT_EQ(shape->field(shape->fields[i].name), &shape->fields[i]);
      open.push_back(shape->fields[i].shape);
    }
    if (shape->list_type == ListType::kMap) {
      for (const std::string& key : shape->list_map_keys) {
        EXPECT_NE(shape->element->field(key), nullptr) << key;
      }
    }
  }
  EXPECT_GT(seen.size(), 400u);
  EXPECT_GT(built_in_kinds().size(), 90u);
}

}  // namespace
}  // namespace windlass::server::schema
