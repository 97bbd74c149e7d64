// What clients of the API do to a running world: every write is seen at once and has the
// consequences a cluster would show.
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

using cluster::Kind;

constexpr const char* kWeb = R"(
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: default, labels: {app: web}}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers: [{name: web, image: nginx, resources: {requests: {cpu: 100m}}}]
)";

TEST(WorldWrites, ADeploymentGetsPodsAndTakesThemAlong) {
  RunningWorld run;
  run.run(minutes(2));
  run.apply(kWeb);
  run.run(minutes(5));
  const auto pods = run.pods("web-");
  ASSERT_EQ(pods.size(), 3u);
  for (const api::Pod* pod : pods) EXPECT_TRUE(pod->ready) << pod->meta.name;
  run.world->remove(Kind::kDeployment, "default/web");
  EXPECT_TRUE(run.pods("web-").empty()) << "all are on their way out at once";
  run.run(minutes(1));
  for (const auto& [key, pod] : run.state().pods()) EXPECT_FALSE(key.starts_with("default/web-"));
}

TEST(WorldWrites, AClientsCopyDoesNotOverwriteWhatTheWorldSays) {
  RunningWorld run;
  run.apply(kWeb);
  run.run(minutes(5));
  ASSERT_EQ(run.pods("web-").size(), 3u);
  const api::Pod before = *run.pods("web-").front();
  api::Pod labelled = before;
  labelled.meta.labels["tier"] = "front";
  labelled.phase = api::PodPhase::kPending;  // an old copy
  labelled.ready = false;
  labelled.ready_at.reset();
  labelled.spec.node_name.clear();
  run.world->put(labelled);
  const api::Pod& after = run.state().pods().at(before.meta.key());
  EXPECT_EQ(after.meta.labels.at("tier"), "front");
  EXPECT_EQ(after.phase, api::PodPhase::kRunning);
  EXPECT_TRUE(after.ready);
  EXPECT_EQ(after.ready_at, before.ready_at);
  EXPECT_EQ(after.spec.node_name, before.spec.node_name);
}

TEST(WorldWrites, ADeletedPodEndsWithinItsGraceAndIsReplaced) {
  RunningWorld run;
  run.apply(kWeb);
  run.run(minutes(5));
  api::Pod pod = *run.pods("web-").front();
  const std::string key = pod.meta.key();
  pod.meta.deleted = run.world->now();
  run.world->put(pod);
  ASSERT_NE(run.state().pods().find(key), nullptr) << "its kubelet ends it first";
  EXPECT_TRUE(run.state().pods().at(key).meta.deleted);
  run.run(minutes(4));
  EXPECT_EQ(run.state().pods().find(key), nullptr);
  EXPECT_EQ(run.pods("web-").size(), 3u);
}

TEST(WorldWrites, AForceDeletedPodIsGoneAtOnceAndItsNameMayComeAgain) {
  RunningWorld run;
  const std::string alone = R"(
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: default}
spec:
  containers: [{name: main, image: busybox, resources: {requests: {cpu: 100m}}}]
)";
  run.apply(alone);
  run.run(minutes(5));
  ASSERT_EQ(run.pods("alone").size(), 1u);
  EXPECT_TRUE(run.pods("alone").front()->ready);
  EXPECT_TRUE(run.world->kubelets().start_of("default/alone"));
  run.world->remove(Kind::kPod, "default/alone");
  EXPECT_TRUE(run.pods("alone").empty());
  run.apply(alone);
  EXPECT_FALSE(run.pods("alone").front()->ready);
  run.run(minutes(5));
  EXPECT_TRUE(run.pods("alone").front()->ready);
}

TEST(WorldWrites, APendingPodSaysWhy) {
  RunningWorld run;
  run.run(minutes(1));
  run.apply(R"(
apiVersion: v1
kind: Pod
metadata: {name: huge, namespace: default}
spec:
  containers: [{name: main, image: busybox, resources: {requests: {cpu: "4000"}}}]
)");
  run.run(seconds(2));
  const api::Pod& pod = run.state().pods().at("default/huge");
  const size_t nodes = run.state().nodes().size();
  EXPECT_TRUE(pod.unschedulable_message.starts_with("0/" + std::to_string(nodes) +
                                                    " nodes are available: "))
      << pod.unschedulable_message;
  const Json json = api::encode(pod);
  EXPECT_EQ(json.at("status").at("conditions").at(0).at("message"), pod.unschedulable_message);
}

TEST(WorldWrites, JobsOfUsersRunAsLongAsTheyAreToldAndEnd) {
  RunningWorld run;
  const std::string job = R"(
apiVersion: batch/v1
kind: Job
metadata: {name: NAME, namespace: default, annotations: {EXTRA}}
spec:
  template:
    spec:
      restartPolicy: Never
      containers: [{name: main, image: busybox, resources: {requests: {cpu: 100m}}}]
)";
  const auto named = [&](const std::string& name, const std::string& extra) {
    std::string text = job;
    text.replace(text.find("NAME"), 4, name);
    text.replace(text.find("EXTRA"), 5, extra);
    return text;
  };
  run.apply(named("minute", ""));
  run.apply(named("longer", "windlass.dev/run-seconds: \"600\""));
  run.run(minutes(8));
  EXPECT_TRUE(run.state().jobs().at("default/minute").completed_at);
  EXPECT_FALSE(run.state().jobs().at("default/longer").completed_at);
  run.run(minutes(20));
  EXPECT_TRUE(run.state().jobs().at("default/longer").completed_at);
}

TEST(WorldWrites, ANodeRemovedByForceTakesItsPodsAndItsClaim) {
  RunningWorld run;
  run.run(minutes(10));
  api::NodeClaim claim;
  for (const auto& [name, one] : run.state().node_claims()) {
    if (!run.state().pods_on(one.node_name).empty()) claim = one;
  }
  ASSERT_FALSE(claim.node_name.empty());
  run.world->remove(Kind::kNode, claim.node_name);
  EXPECT_EQ(run.state().nodes().find(claim.node_name), nullptr);
  EXPECT_TRUE(run.state().pods_on(claim.node_name).empty());
  run.run(minutes(5));
  EXPECT_EQ(run.state().node_claims().find(claim.meta.name), nullptr);
  EXPECT_TRUE(run.world->cloud().instances().at(claim.provider_id).terminated);
}

TEST(WorldWrites, ADeletedClaimDrainsItsNodeAndEndsItsInstance) {
  RunningWorld run;
  run.run(minutes(10));
  api::NodeClaim claim = run.state().node_claims().begin()->second;
  claim.meta.deleted = run.world->now();
  run.world->put(claim);
  ASSERT_NE(run.state().node_claims().find(claim.meta.name), nullptr) << "held by its finalizer";
  run.run(minutes(15));
  EXPECT_EQ(run.state().node_claims().find(claim.meta.name), nullptr);
  EXPECT_TRUE(run.world->cloud().instances().at(claim.provider_id).terminated);
}

TEST(WorldWrites, ATaintOfNoExecuteDrivesPodsOut) {
  RunningWorld run;
  run.apply(kWeb);
  run.run(minutes(5));
  const std::string name = run.pods("web-").front()->spec.node_name;
  api::Node node = run.state().nodes().at(name);
  node.taints.push_back({"maintenance", "yes", "NoExecute"});
  node.conditions.clear();  // a client's copy may lack anything of the status
  run.world->put(node);
  for (const std::string& key : run.state().pods_on(name)) {
    EXPECT_TRUE(run.state().pods().at(key).meta.deleted || run.state().pods().at(key).daemon());
  }
  EXPECT_TRUE(api::is_true(run.state().nodes().at(name).conditions, "Ready"));
}

TEST(WorldWrites, AModelsDeploymentMadeAnewServesAgain) {
  RunningWorld run;
  run.run(minutes(5));
  ASSERT_FALSE(run.world->inference().servers().empty());
  api::Deployment served = run.state().deployments().at("inference/vllm-inference");
  run.world->remove(Kind::kDeployment, "inference/vllm-inference");
  run.run(minutes(2));
  EXPECT_TRUE(run.world->inference().servers().empty());
  served.meta.uid = "another";
  served.replicas = 2;
  run.world->put(served);
  run.run(minutes(10));
  EXPECT_FALSE(run.world->inference().servers().empty());
}

TEST(WorldWrites, EveryChangeIsTold) {
  RunningWorld run;
  std::vector<std::string> told;
  run.world->on_change = [&](const cluster::Change& change) {
    told.push_back(std::string(cluster::to_string(change.kind)) + " " + change.key +
                   (change.removed ? " removed" : ""));
  };
  run.apply(kWeb);
  EXPECT_NE(std::find(told.begin(), told.end(), "NodePool gpu-nodepool"), told.end())
      << "what the world begins with is told, too";
  EXPECT_NE(std::find(told.begin(), told.end(), "Deployment default/web"), told.end());
  told.clear();
  run.world->remove(Kind::kDeployment, "default/web");
  ASSERT_FALSE(told.empty());
  EXPECT_EQ(told.front(), "Deployment default/web removed");
}

}  // namespace
}  // namespace windlass::sim
