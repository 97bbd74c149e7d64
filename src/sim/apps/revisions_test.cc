// The history of StatefulSets and DaemonSets, as `kubectl rollout history` and `undo` use it.
#include "sim/apps/revisions.h"

#include "sim/apps/pod_template.h"
#include "sim/world_fixture.h"

namespace windlass::sim {
namespace {

std::string workload(const std::string& kind, const std::string& image,
                     const std::string& more = "") {
  return "apiVersion: apps/v1\nkind: " + kind +
         "\nmetadata: {name: s, namespace: default, annotations: {kubernetes.io/change-cause: \"" +
         image + "\"}}\nspec:\n" + more +
         "  selector: {matchLabels: {app: s}}\n"
         "  template:\n    metadata: {labels: {app: s}}\n    spec:\n"
         "      tolerations: [{operator: Exists}]\n"
         "      containers: [{name: c, image: \"" +
         image + "\"}]\n";
}

struct SetCluster : RunningWorld {
  void write(const std::string& yaml) {
    world->put(api::read_manifests(yaml, "set.yaml").objects.at(0));
    run(minutes(20));
  }
  // "revision image", in order of revision, of the revisions of "s".
  [[nodiscard]] std::vector<std::string> history() const {
    std::map<int64_t, std::string> found;
    for (const auto& [key, revision] : state().controller_revisions()) {
      const Json data = api::encode(revision)["data"]["spec"]["template"];
      EXPECT_EQ(data["$patch"], "replace");
      const std::string image = data["spec"]["containers"][0]["image"];
      EXPECT_EQ(revision.meta.annotations.at("kubernetes.io/change-cause"), image);
      EXPECT_EQ(revision.meta.labels.at("app"), "s");
      found[revision.revision] = std::to_string(revision.revision) + " " + image;
    }
    std::vector<std::string> out;
    for (const auto& [number, text] : found) out.push_back(text);
    return out;
  }
};
using Texts = std::vector<std::string>;

TEST(Revisions, ATemplateIsKeptOnceAndNumberedByItsLastUse) {
  for (const char* kind : {"StatefulSet", "DaemonSet"}) {
    SetCluster cluster;
    cluster.apply(workload(kind, "i:1"));
    cluster.run(minutes(20));
    EXPECT_EQ(cluster.history(), Texts{"1 i:1"}) << kind;
    cluster.write(workload(kind, "i:2"));
    EXPECT_EQ(cluster.history(), (Texts{"1 i:1", "2 i:2"})) << kind;
    cluster.write(workload(kind, "i:1"));  // undo
    EXPECT_EQ(cluster.history(), (Texts{"2 i:2", "3 i:1"})) << kind;
    for (const api::Pod* pod : cluster.pods("s-")) EXPECT_EQ(pod->spec.containers[0].image, "i:1");
    cluster.write(workload(kind, "i:3", "  revisionHistoryLimit: 1\n"));
    EXPECT_EQ(cluster.history(), (Texts{"3 i:1", "4 i:3"})) << kind;
    cluster.world->remove(kind[0] == 'S' ? cluster::Kind::kStatefulSet : cluster::Kind::kDaemonSet,
                          "default/s");
    EXPECT_EQ(cluster.history(), Texts()) << kind;
  }
}

TEST(Revisions, BelowThePartitionADeadPodComesBackByTheFormerTemplate) {
  SetCluster cluster;
  const std::string partition =
      "  replicas: 2\n  updateStrategy: {rollingUpdate: {partition: 1}}\n";
  cluster.apply(workload("StatefulSet", "i:1", partition));
  cluster.run(minutes(20));
  cluster.write(workload("StatefulSet", "i:2", partition));
  const auto images = [&] {
    Texts out;
    for (const api::Pod* pod : cluster.pods("s-")) out.push_back(pod->spec.containers[0].image);
    return out;
  };
  EXPECT_EQ(images(), (Texts{"i:1", "i:2"}));
  const std::string before = cluster.pods("s-")[0]->meta.uid;
  cluster.world->remove(cluster::Kind::kPod, "default/s-0");
  cluster.run(minutes(10));
  EXPECT_EQ(images(), (Texts{"i:1", "i:2"}));
  EXPECT_NE(cluster.pods("s-")[0]->meta.uid, before);
  // Hashes of templates, not the templates, tell the revisions apart.
  EXPECT_NE(cluster.pods("s-")[0]->meta.labels.at(apps::kRevisionHashLabel),
            cluster.pods("s-")[1]->meta.labels.at(apps::kRevisionHashLabel));
}

}  // namespace
}  // namespace windlass::sim
