#include "sim/kube_scheduler.h"

#include <algorithm>
#include <limits>
#include <tuple>

#include "sim/node_ranking.h"
#include "sim/unschedulable.h"

namespace windlass::sim {
namespace {

constexpr Duration kLatency = milliseconds(100);

int32_t priority_of(const api::Pod& pod) { return pod.spec.priority.value_or(0); }

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

bool KubeScheduler::preempt(const api::Pod& pod, const api::ResourceList& requests,
                            const PodNeighbours& neighbours) {
  struct Option {
    int32_t highest_victim;
    size_t victims;
    std::string node;
    std::vector<std::string> keys;
  };
  std::optional<Option> best;
  for (const auto& [name, node] : context_.state.nodes()) {
    if (!admits(node, pod) || !neighbours.admit(pod, name)) continue;
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

std::vector<std::string> KubeScheduler::queue() const {
  std::vector<const api::Pod*> waiting;
  for (const std::string& key : context_.state.unbound_pods()) {
    waiting.push_back(&context_.state.pods().at(key));
  }
  std::stable_sort(waiting.begin(), waiting.end(), [](const api::Pod* a, const api::Pod* b) {
    if (priority_of(*a) != priority_of(*b)) return priority_of(*a) > priority_of(*b);
    return a->meta.created < b->meta.created;
  });
  std::vector<std::string> keys;
  for (const api::Pod* pod : waiting) keys.push_back(pod->meta.key());
  return keys;
}

// Its victims are still leaving: nothing to do but wait.
bool KubeScheduler::victims_leave(const api::Pod& pod) const {
  const api::Node* nominated = context_.state.nodes().find(pod.nominated_node);
  if (nominated == nullptr || !admits(*nominated, pod)) return false;
  const std::set<std::string>& there = context_.state.pods_on(pod.nominated_node);
  return std::any_of(there.begin(), there.end(), [&](const std::string& key) {
    return context_.state.pods().at(key).meta.deleted.has_value();
  });
}

void KubeScheduler::mark(const api::Pod& pod, const std::string& why) {
  if (pod.unschedulable_since && pod.nominated_node.empty() && why == pod.unschedulable_message) {
    return;
  }
  api::Pod marked = pod;
  marked.nominated_node.clear();
  marked.unschedulable_message = why;
  marked.unschedulable_since = pod.unschedulable_since.value_or(context_.now);
  context_.state.put(std::move(marked));
}

void KubeScheduler::pass() {
  NodeRanking ranking(context_.state);
  const std::vector<std::string> waiting = queue();
  PodNeighbours neighbours(context_.state, waiting);
  for (const std::string& key : waiting) {
    const api::Pod* found = context_.state.pods().find(key);
    if (found == nullptr || found->meta.deleted) continue;
    if (other_scheduler(found->spec)) continue;
    const api::Pod pod = *found;  // the table moves under us
    const api::ResourceList requests = api::pod_requests(pod.spec);
    NodeRanking::Takes takes;
    if (neighbours.matter()) {
      takes = [&](const api::Node& node) { return neighbours.admit(pod, node.meta.name); };
    }
    if (const api::Node* node = ranking.choose(pod, requests, takes)) {
      bind(pod, node->meta.name);
      ranking.bound(*node, pod, requests);
      neighbours.bound(pod, node->meta.name);
      continue;
    }
    if (victims_leave(pod)) continue;
    if (ranking.may_preempt(pod) && preempt(pod, requests, neighbours)) {
      ranking.forget();
      continue;
    }
    if (!context_.served) {
      mark(pod, "");
    } else if (neighbours.matter()) {
      mark(pod, why_unschedulable(context_.state, pod, requests, &neighbours));
    } else {
      mark(pod, ranking.why_none(pod, requests));
    }
  }
}

}  // namespace windlass::sim
