#include "sim/kube_scheduler.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "sim/unschedulable.h"

namespace windlass::sim {
namespace {

constexpr Duration kLatency = milliseconds(100);

int32_t priority_of(const api::Pod& pod) { return pod.spec.priority.value_or(0); }

// Share of the node that is taken, by its fullest resource the pod asks for.
double fill(const api::ResourceList& requests, const api::ResourceList& free,
            const api::ResourceList& allocatable) {
  double fullest = 0;
  for (const auto& [name, milli] : requests) {
    const int64_t total = allocatable.milli(name);
    if (milli == 0 || total == 0) continue;
    const auto left = static_cast<double>(free.milli(name) - milli);
    fullest = std::max(fullest, 1 - left / static_cast<double>(total));
  }
  return fullest;
}

bool other_scheduler(const api::PodSpec& spec) {
  return !spec.scheduler_name.empty() && spec.scheduler_name != "default-scheduler";
}

}  // namespace

void KubeScheduler::wake() {
  if (awake_) return;
  awake_ = true;
  context_.after(kLatency, [this] {
    awake_ = false;
    pass();
  });
}

bool KubeScheduler::admits(const api::Node& node, const api::Pod& pod) const {
  if (node.unschedulable || node.meta.deleted) return false;
  if (!api::is_true(node.conditions, "Ready")) return false;
  return api::first_untolerated(node.taints, pod.spec.tolerations, false) == nullptr &&
         affinity_admits(pod, node.meta.labels);
}

const api::Node* KubeScheduler::choose(const api::Pod& pod,
                                       const api::ResourceList& requests) const {
  const api::Node* best = nullptr;
  double best_fill = 0;
  for (const auto& [name, node] : context_.state.nodes()) {
    if (!admits(node, pod)) continue;
    const api::ResourceList free = context_.state.free_on(node);
    if (!requests.fits(free)) continue;
    const double filled = fill(requests, free, node.allocatable);
    if (best == nullptr || filled < best_fill) {
      best = &node;
      best_fill = filled;
    }
  }
  return best;
}

bool KubeScheduler::preempt(const api::Pod& pod, const api::ResourceList& requests) {
  struct Option {
    int32_t highest_victim;
    size_t victims;
    std::string node;
    std::vector<std::string> keys;
  };
  std::optional<Option> best;
  for (const auto& [name, node] : context_.state.nodes()) {
    if (!admits(node, pod)) continue;
    std::vector<const api::Pod*> lower;
    for (const std::string& key : context_.state.pods_on(name)) {
      const api::Pod& other = context_.state.pods().at(key);
      if (!other.terminal() && priority_of(other) < priority_of(pod)) lower.push_back(&other);
    }
    // Lowest priority first; the youngest of equals has lost the least.
    std::stable_sort(lower.begin(), lower.end(), [](const api::Pod* a, const api::Pod* b) {
      if (priority_of(*a) != priority_of(*b)) return priority_of(*a) < priority_of(*b);
      return a->started_at.value_or(kNever) > b->started_at.value_or(kNever);
    });
    api::ResourceList free = context_.state.free_on(node);
    Option option{std::numeric_limits<int32_t>::min(), 0, name, {}};
    for (const api::Pod* victim : lower) {
      if (requests.fits(free)) break;
      free += api::pod_requests(victim->spec);
      option.highest_victim = std::max(option.highest_victim, priority_of(*victim));
      ++option.victims;
      option.keys.push_back(victim->meta.key());
    }
    if (option.victims == 0 || !requests.fits(free)) continue;
    const auto rank = [](const Option& o) { return std::tie(o.highest_victim, o.victims, o.node); };
    if (!best || rank(option) < rank(*best)) best = std::move(option);
  }
  if (!best) return false;
  context_.note("preempt", best->node);
  for (const std::string& key : best->keys) api_.delete_pod(key);
  api::Pod waiting = pod;
  waiting.nominated_node = best->node;
  waiting.unschedulable_since = context_.now;
  context_.state.put(std::move(waiting));
  return true;
}

void KubeScheduler::bind(const api::Pod& pod, const std::string& node) {
  api::Pod bound = pod;
  bound.spec.node_name = node;
  bound.scheduled_at = context_.now;
  bound.unschedulable_since.reset();
  bound.unschedulable_message.clear();
  bound.nominated_node.clear();
  context_.note("bind " + node, bound.meta.key());
  context_.state.put(std::move(bound));
}

void KubeScheduler::pass() {
  std::vector<std::string> queue(context_.state.unbound_pods().begin(),
                                 context_.state.unbound_pods().end());
  std::stable_sort(queue.begin(), queue.end(), [&](const std::string& a, const std::string& b) {
    const api::Pod& pa = context_.state.pods().at(a);
    const api::Pod& pb = context_.state.pods().at(b);
    if (priority_of(pa) != priority_of(pb)) return priority_of(pa) > priority_of(pb);
    return pa.meta.created < pb.meta.created;
  });
  for (const std::string& key : queue) {
    const api::Pod* found = context_.state.pods().find(key);
    if (found == nullptr || found->meta.deleted) continue;
    if (other_scheduler(found->spec)) continue;
    const api::Pod pod = *found;  // the table moves under us
    const api::ResourceList requests = api::pod_requests(pod.spec);
    if (const api::Node* node = choose(pod, requests)) {
      bind(pod, node->meta.name);
      continue;
    }
    // Its victims are still leaving: nothing to do but wait.
    const api::Node* nominated = context_.state.nodes().find(pod.nominated_node);
    const bool leaving =
        nominated != nullptr && admits(*nominated, pod) &&
        std::any_of(context_.state.pods_on(pod.nominated_node).begin(),
                    context_.state.pods_on(pod.nominated_node).end(), [&](const std::string& k) {
                      return context_.state.pods().at(k).meta.deleted.has_value();
                    });
    if (leaving || preempt(pod, requests)) continue;
    const std::string why =
        context_.served ? why_unschedulable(context_.state, pod, requests) : std::string();
    if (!pod.unschedulable_since || !pod.nominated_node.empty() ||
        why != pod.unschedulable_message) {
      api::Pod marked = pod;
      marked.nominated_node.clear();
      marked.unschedulable_message = why;
      marked.unschedulable_since = pod.unschedulable_since.value_or(context_.now);
      context_.state.put(std::move(marked));
    }
  }
}

}  // namespace windlass::sim
