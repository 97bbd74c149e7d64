#include "cli/plan_input.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>
#include <sstream>

#include <fmt/format.h>

#include "catalog/catalog_file.h"

namespace windlass::cli {
namespace {

namespace fs = std::filesystem;

std::string place_and_text(const api::Finding& finding) {
  return fmt::format("{}: {}", finding.place, finding.text);
}

// Pods of one workload that the manifests do not list.
class Expansion {
 public:
  Expansion(cluster::State& state, Instant now) : state_(state), now_(now) {}

  void run() {
    for (const auto& [key, deployment] : copy<api::Deployment>()) {
      const int64_t there = live_pods(deployment.meta, deployment.selector, "");
      make_pods(deployment.meta, "apps/v1", "Deployment", deployment.pod_template,
                deployment.replicas - there);
    }
    for (const auto& [key, set] : copy<api::StatefulSet>()) {
      const int64_t there = live_pods(set.meta, set.selector, "StatefulSet");
      make_pods(set.meta, "apps/v1", "StatefulSet", set.pod_template, set.replicas - there,
                &set.volume_claims);
    }
    for (const auto& [key, job] : copy<api::Job>()) {
      if (job.completed_at) continue;
      const int64_t wanted = std::min(job.parallelism, job.completions - job.succeeded);
      make_pods(job.meta, "batch/v1", "Job", job.pod_template,
                wanted - live_pods(job.meta, {}, "Job"));
    }
  }

 private:
  // Putting pods changes no table of workloads, but a table may not be walked while it is put to.
  template <typename T>
  std::vector<std::pair<std::string, T>> copy() const {
    const auto& table = state_.all<T>();
    return {table.begin(), table.end()};
  }

  // A Deployment's pods belong to its ReplicaSets, so they are told by labels.
  int64_t live_pods(const api::ObjectMeta& owner, const api::LabelSelector& selector,
                    std::string_view owner_kind) const {
    int64_t count = 0;
    for (const auto& [key, pod] : state_.pods()) {
      if (pod.terminal() || pod.meta.deleted) continue;
      if (pod.meta.namespace_name != owner.namespace_name) continue;
      const bool owned = std::any_of(pod.meta.owners.begin(), pod.meta.owners.end(),
                                     [&](const api::OwnerReference& o) {
                                       return o.kind == owner_kind && o.name == owner.name;
                                     });
      const bool selected = owner_kind.empty() && selector.matches(pod.meta.labels);
      count += owned || selected ? 1 : 0;
    }
    return count;
  }

  void make_pods(const api::ObjectMeta& owner, const std::string& api_version,
                 const std::string& kind, const api::PodTemplate& pod_template, int64_t missing,
                 const std::vector<std::pair<std::string, std::string>>* claims = nullptr) {
    for (int64_t made = 0, i = 0; made < missing; ++i) {
      api::Pod pod;
      pod.meta.name = fmt::format("{}-{}", owner.name, i);
      pod.meta.namespace_name = owner.namespace_name;
      if (state_.pods().find(pod.meta.key()) != nullptr) continue;
      pod.meta.uid = "pod-" + pod.meta.key();
      pod.meta.labels = pod_template.labels;
      pod.meta.annotations = pod_template.annotations;
      pod.meta.created = now_;
      pod.meta.owners.push_back({api_version, kind, owner.name, owner.uid, true});
      pod.spec = pod_template.spec;
      for (const auto& [volume, storage_class] :
           claims == nullptr ? std::vector<std::pair<std::string, std::string>>{} : *claims) {
        add_claim(pod, volume, storage_class);
      }
      state_.put(std::move(pod));
      ++made;
    }
  }

  void add_claim(api::Pod& pod, const std::string& volume, const std::string& storage_class) {
    api::PersistentVolumeClaim claim;
    claim.meta.name = volume + "-" + pod.meta.name;
    claim.meta.namespace_name = pod.meta.namespace_name;
    claim.storage_class = storage_class;
    pod.spec.volumes.push_back({volume, claim.meta.name, false, ""});
    if (state_.all<api::PersistentVolumeClaim>().find(claim.meta.key()) == nullptr) {
      state_.put(std::move(claim));
    }
  }

  cluster::State& state_;
  Instant now_;
};

// What the API server's defaults and the scheduler would have written.
void complete_pods(cluster::State& state, Instant now) {
  const api::PriorityClass* standard = nullptr;
  for (const auto& [name, priority] : state.priority_classes()) {
    if (priority.global_default) standard = &priority;
  }
  std::vector<api::Pod> changed;
  for (const auto& [key, pod] : state.pods()) {
    api::Pod copy = pod;
    if (copy.meta.uid.empty()) copy.meta.uid = "pod-" + key;
    if (copy.meta.created == Instant{}) copy.meta.created = now;
    if (!copy.spec.priority) {
      const api::PriorityClass* named = state.priority_classes().find(copy.spec.priority_class);
      const api::PriorityClass* priority = copy.spec.priority_class.empty() ? standard : named;
      if (priority != nullptr) copy.spec.priority = priority->value;
    }
    if (copy.spec.node_name.empty() && !copy.unschedulable_since) copy.unschedulable_since = now;
    changed.push_back(std::move(copy));
  }
  for (api::Pod& pod : changed) state.put(std::move(pod));
}

api::NodeClaim claim_of(const api::Node& node, const api::NodePool& pool) {
  api::NodeClaim claim;
  claim.meta.name = node.meta.name;
  claim.meta.uid = "claim-" + node.meta.name;
  claim.meta.labels = node.meta.labels;
  claim.meta.annotations = node.meta.annotations;
  claim.meta.created = node.meta.created;
  claim.node_class = pool.node_class;
  claim.requirements = pool.requirements;
  claim.taints = pool.taints;
  claim.startup_taints = pool.startup_taints;
  claim.termination_grace = pool.termination_grace;
  claim.expire_after = pool.expire_after;
  claim.node_name = node.meta.name;
  claim.provider_id = node.provider_id;
  claim.capacity = node.capacity;
  claim.allocatable = node.allocatable;
  for (const char* type : {"Launched", "Registered", "Initialized"}) {
    api::set_condition(claim.conditions, {type, "True", type, "", node.meta.created});
  }
  return claim;
}

std::string label(const api::Node& node, std::string_view key) {
  const auto it = node.meta.labels.find(key);
  return it == node.meta.labels.end() ? std::string() : it->second;
}

void complete_nodes(cluster::State& state, std::vector<std::string>& warnings) {
  std::vector<api::Object> changed;
  for (const auto& [key, written] : state.nodes()) {
    api::Node node = written;
    const std::string pool_name = label(node, api::kNodePoolLabel);
    const api::NodePool* pool = state.node_pools().find(pool_name);
    if (node.provider_id.empty()) node.provider_id = "manifest:///" + node.meta.name;
    if (api::find_condition(node.conditions, "Ready") == nullptr) {
      node.conditions.push_back({"Ready", "True", "KubeletReady", "", node.meta.created});
    }
    if (node.allocatable.empty()) {
      const std::string type_name = label(node, api::kInstanceTypeLabel);
      const catalog::InstanceType* type =
          state.types_for(pool == nullptr ? "" : pool->node_class.name).find(type_name);
      if (type != nullptr) {
        node.capacity = type->capacity;
        node.allocatable = type->allocatable;
      } else {
        warnings.push_back(fmt::format(
            "Node/{}: has no status.allocatable, and the catalogue has no type \"{}\": it takes "
            "no pods",
            node.meta.name, type_name));
      }
    }
    const bool has_claim = state.claim_by_provider_id(node.provider_id) != nullptr;
    if (pool != nullptr && !has_claim) changed.emplace_back(claim_of(node, *pool));
    if (pool == nullptr && !pool_name.empty()) {
      warnings.push_back(fmt::format("Node/{}: its NodePool {} is not in the manifests",
                                     node.meta.name, pool_name));
    }
    changed.emplace_back(std::move(node));
  }
  for (api::Object& object : changed) state.put(std::move(object));
}

Result<cluster::State> empty_state(const std::string& catalog_file) {
  if (catalog_file.empty()) return cluster::State(catalog::built_in({}));
  const auto text = read_file(catalog_file);
  if (!text.ok()) return text.error();
  auto catalog = catalog::read_catalog(*text, catalog_file);
  if (!catalog.ok()) return catalog.error();
  return cluster::State(*std::move(catalog), cluster::NodeClassUse::kIgnored);
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  if (path == "-") {
    std::ostringstream text;
    text << std::cin.rdbuf();
    return text.str();
  }
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return Error(fmt::format("{}: is a directory", path));
  std::ifstream file(path, std::ios::binary);
  if (!file) return Error(fmt::format("{}: can't be read", path));
  std::ostringstream text;
  text << file.rdbuf();
  if (!file && !file.eof()) return Error(fmt::format("{}: can't be read", path));
  return text.str();
}

Result<std::vector<std::string>> manifest_files(const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (const std::string& path : paths) {
    std::error_code error;
    if (path == "-" || !fs::is_directory(path, error)) {
      if (path != "-" && !fs::exists(path, error)) {
        return Error(fmt::format("{}: no such file or directory", path));
      }
      files.push_back(path);
      continue;
    }
    std::vector<std::string> inside;
    for (const fs::directory_entry& entry : fs::directory_iterator(path, error)) {
      const std::string extension = entry.path().extension().string();
      const bool manifest = extension == ".yaml" || extension == ".yml" || extension == ".json";
      if (manifest && entry.is_regular_file(error)) inside.push_back(entry.path().string());
    }
    if (error) return Error(fmt::format("{}: {}", path, error.message()));
    if (inside.empty()) return Error(fmt::format("{}: has no .yaml, .yml or .json files", path));
    std::sort(inside.begin(), inside.end());
    files.insert(files.end(), inside.begin(), inside.end());
  }
  return files;
}

Result<PlanInput> read_plan_input(const std::vector<std::string>& paths,
                                  const std::string& catalog_file, Instant now) {
  auto state = empty_state(catalog_file);
  if (!state.ok()) return state.error();
  const auto files = manifest_files(paths);
  if (!files.ok()) return files.error();
  PlanInput input{*std::move(state), {}};
  std::vector<std::string> errors;
  std::set<std::string> seen;
  for (const std::string& file : *files) {
    const auto text = read_file(file);
    if (!text.ok()) return text.error();
    api::Manifests manifests = api::read_manifests(*text, file == "-" ? "standard input" : file);
    for (const api::Finding& finding : manifests.errors) errors.push_back(place_and_text(finding));
    for (const api::Finding& finding : manifests.warnings) {
      input.warnings.push_back(place_and_text(finding));
    }
    for (api::Object& object : manifests.objects) {
      const std::string name =
          fmt::format("{}/{}", api::kind_of(object), api::meta_of(object).key());
      if (!seen.insert(name).second) {
        errors.push_back(fmt::format("{}: {} stands in the manifests twice", file, name));
      }
      input.state.put(std::move(object));
    }
  }
  if (!errors.empty()) {
    std::string all;
    for (const std::string& error : errors) all += (all.empty() ? "" : "\n") + error;
    return Error(all);
  }
  Expansion(input.state, now).run();
  complete_pods(input.state, now);
  complete_nodes(input.state, input.warnings);
  return input;
}

}  // namespace windlass::cli
