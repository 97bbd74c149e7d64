// Workloads in a served world, as kubectl's user sees them: rollouts, undo, pause, numbers in
// status.
#include <algorithm>

#include "sim/apps/pod_template.h"
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

using cluster::Kind;

std::string web(int replicas, const std::string& image, const std::string& extra = "") {
  return "apiVersion: apps/v1\nkind: Deployment\n"
         "metadata: {name: web, namespace: default}\n"
         "spec:\n  replicas: " +
         std::to_string(replicas) + "\n  selector: {matchLabels: {app: web}}\n" + extra +
         "  template:\n    metadata: {labels: {app: web}}\n    spec:\n"
         "      containers: [{name: web, image: \"" +
         image +
         "\", ports: [{containerPort: 80}], resources: {requests: {cpu: 10m}}}]\n"
         "      volumes: [{name: scratch, emptyDir: {}}]\n";
}

struct Cluster : RunningWorld {
  // As the API server would: the same object, one generation on if its spec changed.
  void apply_again(const std::string& yaml) {
    api::Object object = api::read_manifests(yaml, "again.yaml").objects.at(0);
    auto& deployment = std::get<api::Deployment>(object);
    const api::Deployment& was = state().deployments().at(deployment.meta.key());
    deployment.meta.generation = was.meta.generation + 1;
    deployment.meta.annotations = was.meta.annotations;
    world->put(deployment);
  }
  [[nodiscard]] const api::Deployment& deployment() const {
    return state().deployments().at("default/web");
  }
  [[nodiscard]] std::map<std::string, int32_t> sets() const {  // by revision
    std::map<std::string, int32_t> found;
    for (const auto& [key, set] : state().replica_sets()) {
      if (!key.starts_with("default/web-")) continue;
      found[set.meta.annotations.at("deployment.kubernetes.io/revision")] = set.replicas;
    }
    return found;
  }
  // What `kubectl rollout status` calls successful.
  [[nodiscard]] bool rolled_out() const {
    const api::Deployment& d = deployment();
    return d.meta.generation <= d.observed_generation && d.updated_replicas == d.replicas &&
           d.status_replicas == d.updated_replicas && d.available_replicas == d.updated_replicas;
  }
};
using Sets = std::map<std::string, int32_t>;

TEST(Apps, ADeploymentRollsOutWithinItsLimitsAndCanBeUndone) {
  Cluster cluster;
  cluster.apply(web(4, "nginx:1"));
  cluster.run(minutes(5));
  EXPECT_TRUE(cluster.rolled_out());
  EXPECT_EQ(cluster.sets(), (Sets{{"1", 4}}));
  int fewest = 4;
  int most = 4;
  cluster.world->on_change = [&](const cluster::Change& change) {
    if (change.kind != Kind::kPod) return;
    const auto pods = cluster.pods("web-");
    int ready = 0;
    for (const api::Pod* pod : pods) ready += pod->ready ? 1 : 0;
    fewest = std::min(fewest, ready);
    most = std::max(most, static_cast<int>(pods.size()));
  };
  cluster.apply_again(web(4, "nginx:2"));
  EXPECT_FALSE(cluster.rolled_out());
  cluster.run(minutes(15));
  EXPECT_TRUE(cluster.rolled_out());
  EXPECT_EQ(cluster.sets(), (Sets{{"1", 0}, {"2", 4}}));
  EXPECT_EQ(fewest, 3);
  EXPECT_EQ(most, 5);
  EXPECT_EQ(cluster.deployment().meta.annotations.at("deployment.kubernetes.io/revision"), "2");
  EXPECT_TRUE(api::is_true(cluster.deployment().conditions, "Available"));
  EXPECT_EQ(api::find_condition(cluster.deployment().conditions, "Progressing")->reason,
            "NewReplicaSetAvailable");
  cluster.apply_again(web(4, "nginx:1"));  // undo: the first template again
  cluster.run(minutes(15));
  EXPECT_TRUE(cluster.rolled_out());
  EXPECT_EQ(cluster.sets(), (Sets{{"2", 0}, {"3", 4}})) << "the first set is revision 3 now";
}

TEST(Apps, PodsKeepWhatTheirTemplateSaysAndBelongToTheSet) {
  Cluster cluster;
  cluster.apply(web(1, "nginx:1"));
  cluster.run(minutes(5));
  ASSERT_EQ(cluster.pods("web-").size(), 1u);
  const api::Pod& pod = *cluster.pods("web-").front();
  const Json json = api::encode(pod);
  EXPECT_EQ(json["spec"]["containers"][0]["ports"][0]["containerPort"], 80);
  EXPECT_TRUE(json["spec"]["volumes"][0].contains("emptyDir"));
  ASSERT_EQ(pod.meta.owners.size(), 1u);
  EXPECT_EQ(pod.meta.owners[0].kind, "ReplicaSet");
  EXPECT_EQ(pod.meta.owners[0].name + pod.meta.name.substr(pod.meta.owners[0].name.size()),
            pod.meta.name);
  EXPECT_EQ(cluster.state().deployment_of(pod), &cluster.deployment());
  EXPECT_EQ(cluster.state().pods_of(cluster.deployment().meta.uid).size(), 1u);
}

TEST(Apps, PausedDeploymentsScaleButDoNotRollOut) {
  Cluster cluster;
  cluster.apply(web(2, "nginx:1"));
  cluster.run(minutes(5));
  cluster.apply_again(web(3, "nginx:2", "  paused: true\n"));
  cluster.run(minutes(5));
  EXPECT_EQ(cluster.sets(), (Sets{{"1", 3}}));
  cluster.apply_again(web(3, "nginx:2"));
  cluster.run(minutes(15));
  EXPECT_EQ(cluster.sets(), (Sets{{"1", 0}, {"2", 3}}));
}

TEST(Apps, RecreateNeverRunsTwoRevisionsAtOnce) {
  Cluster cluster;
  const std::string recreate = "  strategy: {type: Recreate}\n";
  cluster.apply(web(3, "nginx:1", recreate));
  cluster.run(minutes(5));
  bool both = false;
  cluster.world->on_change = [&](const cluster::Change&) {
    std::set<std::string> images;
    for (const auto& [key, pod] : cluster.state().pods()) {
      if (key.starts_with("default/web-")) images.insert(pod.spec.containers[0].image);
    }
    both |= images.size() > 1;
  };
  cluster.apply_again(web(3, "nginx:2", recreate));
  cluster.run(minutes(15));
  EXPECT_TRUE(cluster.rolled_out());
  EXPECT_FALSE(both);
}

TEST(Apps, OldRevisionsGoBeyondTheLimit) {
  Cluster cluster;
  const std::string limit = "  revisionHistoryLimit: 2\n";
  cluster.apply(web(1, "nginx:0", limit));
  cluster.run(minutes(5));
  for (int i = 1; i <= 4; ++i) {
    cluster.apply_again(web(1, "nginx:" + std::to_string(i), limit));
    cluster.run(minutes(6));
  }
  EXPECT_EQ(cluster.sets(), (Sets{{"3", 0}, {"4", 0}, {"5", 1}}));
}

TEST(Apps, AStuckRolloutSaysSoAfterItsDeadline) {
  Cluster cluster;
  cluster.apply(web(1, "nginx:1", "  progressDeadlineSeconds: 60\n"));
  cluster.run(minutes(5));
  std::string huge = web(1, "nginx:2", "  progressDeadlineSeconds: 60\n");
  huge.replace(huge.find("10m"), 3, "4000");
  cluster.apply_again(huge);
  cluster.run(minutes(3));
  const api::Condition* said = api::find_condition(cluster.deployment().conditions, "Progressing");
  ASSERT_NE(said, nullptr);
  EXPECT_EQ(said->reason, "ProgressDeadlineExceeded");
  EXPECT_EQ(said->status, "False");
  EXPECT_TRUE(api::is_true(cluster.deployment().conditions, "Available")) << "the old one stays";
}

TEST(Apps, APodThatChangesItsLabelsIsLetGoAndReplaced) {
  Cluster cluster;
  cluster.apply(web(2, "nginx:1"));
  cluster.run(minutes(5));
  api::Pod pod = *cluster.pods("web-").front();
  pod.meta.labels["app"] = "debug";
  cluster.world->put(pod);
  cluster.run(minutes(5));
  EXPECT_EQ(cluster.pods("web-").size(), 3u);
  EXPECT_TRUE(cluster.state().pods().at(pod.meta.key()).meta.owners.empty());
  EXPECT_EQ(cluster.deployment().ready_replicas, 2);
}

TEST(Apps, AStatefulSetCountsUpAndDownOneByOne) {
  Cluster cluster;
  const auto db = [](int replicas, const std::string& image) {
    return "apiVersion: apps/v1\nkind: StatefulSet\nmetadata: {name: db, namespace: default}\n"
           "spec:\n  serviceName: db\n  replicas: " +
           std::to_string(replicas) +
           "\n  selector: {matchLabels: {app: db}}\n"
           "  template:\n    metadata: {labels: {app: db}}\n"
           "    spec: {containers: [{name: db, image: \"" +
           image +
           "\"}]}\n  volumeClaimTemplates:\n  - metadata: {name: data}\n    spec: "
           "{accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}\n";
  };
  const auto change = [&](int replicas, const std::string& image) {
    api::Object object = api::read_manifests(db(replicas, image), "db.yaml").objects.at(0);
    cluster.world->put(object);
  };
  cluster.apply(db(3, "db:1"));
  cluster.run(seconds(5));
  EXPECT_EQ(cluster.pods("db-").size(), 1u) << "db-1 waits for db-0";
  cluster.run(minutes(15));
  ASSERT_EQ(cluster.pods("db-").size(), 3u);
  EXPECT_EQ(cluster.pods("db-")[2]->meta.name, "db-2");
  EXPECT_TRUE(cluster.state().all<api::PersistentVolumeClaim>().find("default/data-db-1"));
  const auto& set = [&]() -> const api::StatefulSet& {
    return cluster.state().all<api::StatefulSet>().at("default/db");
  };
  EXPECT_EQ(set().ready_replicas, 3);
  EXPECT_EQ(set().current_revision, set().update_revision);
  change(3, "db:2");
  cluster.run(seconds(5));
  EXPECT_NE(set().current_revision, set().update_revision);
  cluster.run(minutes(20));
  EXPECT_EQ(set().updated_replicas, 3);
  EXPECT_EQ(set().current_revision, set().update_revision);
  for (const api::Pod* pod : cluster.pods("db-")) {
    EXPECT_EQ(pod->spec.containers[0].image, "db:2") << pod->meta.name;
  }
  change(1, "db:2");
  cluster.run(minutes(5));
  ASSERT_EQ(cluster.pods("db-").size(), 1u);
  EXPECT_EQ(cluster.pods("db-")[0]->meta.name, "db-0");
}

TEST(Apps, ADaemonSetCoversEveryNodeAndFollowsItsTemplate) {
  Cluster cluster;
  const auto agent = [](const std::string& image) {
    return "apiVersion: apps/v1\nkind: DaemonSet\nmetadata: {name: agent, namespace: default}\n"
           "spec:\n  selector: {matchLabels: {app: agent}}\n  template:\n"
           "    metadata: {labels: {app: agent}}\n    spec:\n"
           "      tolerations: [{operator: Exists}]\n      containers: [{name: a, image: \"" +
           image + "\"}]\n";
  };
  cluster.apply(agent("agent:1"));
  cluster.run(minutes(10));
  const auto& set = [&]() -> const api::DaemonSet& {
    return cluster.state().daemon_sets().at("default/agent");
  };
  const auto nodes = static_cast<int32_t>(cluster.state().nodes().size());
  EXPECT_EQ(set().desired_scheduled, nodes);
  EXPECT_EQ(set().current_scheduled, nodes);
  cluster.world->put(api::read_manifests(agent("agent:2"), "agent.yaml").objects.at(0));
  cluster.run(minutes(30));
  EXPECT_EQ(set().updated_scheduled, set().desired_scheduled);
  EXPECT_GE(set().available_pods, set().desired_scheduled - 1) << "a node may be new";
}

TEST(Apps, JobsCountTheirPodsAndFailAtTheirLimit) {
  Cluster cluster;
  const auto job = [](const std::string& name, const std::string& spec, const std::string& notes) {
    return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name +
           ", namespace: default, annotations: {" + notes + "}}\nspec: {" + spec +
           ", template: {spec: {restartPolicy: Never, containers: [{name: m, image: busybox, "
           "resources: {requests: {cpu: 10m}}}]}}}\n";
  };
  cluster.apply(job("three", "completions: 3, parallelism: 2", ""));
  cluster.apply(job("bad", "backoffLimit: 1", "windlass.dev/exit-code: \"1\""));
  cluster.apply(job("late", "activeDeadlineSeconds: 30", "windlass.dev/run-seconds: \"3600\""));
  cluster.apply(job("brief", "ttlSecondsAfterFinished: 10", ""));
  cluster.run(seconds(2));
  EXPECT_EQ(cluster.state().jobs().at("default/three").active, 2);
  cluster.run(minutes(20));
  const api::Job& three = cluster.state().jobs().at("default/three");
  EXPECT_EQ(three.succeeded, 3);
  EXPECT_EQ(three.active, 0);
  EXPECT_TRUE(three.completed_at);
  EXPECT_TRUE(api::is_true(three.conditions, "Complete"));
  const api::Job& bad = cluster.state().jobs().at("default/bad");
  EXPECT_EQ(bad.failed, 2) << "the first and one more";
  EXPECT_EQ(api::find_condition(bad.conditions, "Failed")->reason, "BackoffLimitExceeded");
  const api::Job& late = cluster.state().jobs().at("default/late");
  EXPECT_EQ(api::find_condition(late.conditions, "Failed")->reason, "DeadlineExceeded");
  EXPECT_EQ(late.active, 0);
  EXPECT_EQ(cluster.state().jobs().find("default/brief"), nullptr);
}

TEST(Apps, EqualTemplatesHaveOneHash) {
  const auto hash = [](const std::string& json) { return apps::template_hash(*parse_json(json)); };
  const std::string plain = hash(R"({"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"1"}}}]}})");
  EXPECT_EQ(plain, hash(R"({"metadata":{"creationTimestamp":null,
      "labels":{"pod-template-hash":"x","a":"b"}},"spec":{"volumes":[],
      "containers":[{"resources":{"limits":{},"requests":{"cpu":"1000m"}},"name":"c"}]}})"));
  EXPECT_NE(plain, hash(R"({"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","resources":{"requests":{"cpu":"2"}}}]}})"));
}

}  // namespace
}  // namespace windlass::sim
