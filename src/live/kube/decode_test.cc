#include "live/kube/decode.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "live/kube/decode_fast.h"

namespace windlass::live::kube {
namespace {

constexpr std::string_view kOrdinaryPod = R"({"apiVersion":"v1","kind":"Pod",
"metadata":{"name":"p","namespace":"ns","uid":"u","resourceVersion":"77","generation":3,
 "creationTimestamp":"2026-03-01T00:00:00Z","labels":{"app":"web"},"annotations":{"a":"b"},
 "finalizers":["a/b"],
 "ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"d","uid":"u2","controller":true}]},
"spec":{"containers":[{"name":"main","image":"img:1","env":[{"name":"MODE","value":"fast"},
  {"name":"S","valueFrom":{"secretKeyRef":{"name":"s","key":"k"}}}],
  "ports":[{"containerPort":80,"hostPort":8080}],
  "resources":{"requests":{"cpu":"500m"},"limits":{"cpu":"1","memory":"1Gi","nvidia.com/gpu":"1"}}}],
 "nodeSelector":{"zone":"a"},"nodeName":"n1","priority":1000,"schedulerName":"default-scheduler",
 "tolerations":[{"key":"k","operator":"Exists","effect":"NoExecute","tolerationSeconds":300}],
 "terminationGracePeriodSeconds":60},
"status":{"phase":"Running","startTime":"2026-03-01T00:00:10Z","conditions":[
 {"type":"PodScheduled","status":"True","lastTransitionTime":"2026-03-01T00:00:05Z"},
 {"type":"Ready","status":"True","lastTransitionTime":"2026-03-01T00:01:00Z"}]}})";

TEST(DecodeFast, ReadsAnOrdinaryPod) {
  const auto pod = fast_pod(kOrdinaryPod);
  ASSERT_TRUE(pod.has_value());
  EXPECT_EQ(pod->meta.key(), "ns/p");
  EXPECT_EQ(pod->meta.resource_version, 77U);
  ASSERT_EQ(pod->spec.containers.size(), 1U);
  EXPECT_EQ(pod->spec.containers[0].requests.milli("cpu"), 500);
  EXPECT_EQ(pod->spec.containers[0].requests.milli("nvidia.com/gpu"), 1000);
  EXPECT_TRUE(pod->ready);
  EXPECT_EQ(pod->raw, nullptr);
}

}  // namespace
}  // namespace windlass::live::kube
