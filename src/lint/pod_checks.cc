// Pods against the pools they could get nodes from (reference karpenter.md 2.3, 2.7, 4.2).
#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>

#include "base/text.h"
#include "base/utf8.h"
#include "lint/checks.h"
#include "lint/pool_fit.h"
#include "lint/scaled.h"

namespace windlass::lint {
namespace {

void report(Manifests& manifests, std::string_view rule, const Workload& workload,
            std::string_view field, std::string what, std::string fix) {
  manifests.report(rule, *workload.origin, workload.kind, *workload.meta, field, std::move(what),
                   std::move(fix));
}

bool is_gpu(std::string_view resource) {
  return resource == api::kNvidiaGpu || resource == "amd.com/gpu";
}

bool asks_for_gpus(const api::ResourceList& requests) {
  return std::ranges::any_of(
      requests, [](const auto& entry) { return is_gpu(entry.first) && entry.second > 0; });
}

// What types of the catalogue have; devices of other vendors' plugins are not known here, and
// ephemeral storage is the node class' to decide.
api::ResourceList known_requests(const Workload& workload, const catalog::Catalog& catalog) {
  api::ResourceList out;
  for (const auto& [name, milli] : api::pod_requests(workload.pods->spec)) {
    if (name == api::kEphemeralStorage) continue;
    const bool known = std::ranges::any_of(
        catalog.types, [&, key = name](const auto& type) { return type.allocatable.has(key); });
    if (known) out.set(name, milli);
  }
  return out;
}

// True if it was reported.
bool check_any_type(Manifests& manifests, const Workload& workload,
                    const api::ResourceList& requests) {
  const auto& types = manifests.catalog().types;
  if (std::ranges::any_of(types, [&](const auto& t) { return requests.fits(t.allocatable); })) {
    return false;
  }
  // One resource that alone is too much, with the most there is of it.
  std::string most;
  for (const auto& [name, milli] : requests) {
    int64_t largest = 0;
    for (const auto& type : types) largest = std::max(largest, type.allocatable.milli(name));
    if (milli <= largest) continue;
    most = fmt::format("; the most there is of {} is {}", name,
                       api::to_string(api::ResourceList{{name, largest}}));
    break;
  }
  report(manifests, "requests-above-allocatable", workload, workload.pod_path,
         fmt::format("no instance type of the catalogue has room for one pod ({}){}",
                     api::to_string(requests), most),
         "smaller requests, or several pods in place of one");
  return true;
}

std::string names_of(const std::vector<const PoolFit*>& fits) {
  std::vector<std::string> names;
  for (const PoolFit* fit : fits) names.push_back(fit->pool.object->meta.name);
  return join(names, ", ");
}

void report_no_pool(Manifests& manifests, const Workload& workload,
                    const std::vector<PoolFit>& fits, bool gpus) {
  std::vector<const PoolFit*> tainted;
  for (const PoolFit& fit : fits) {
    if (fit.fits) tainted.push_back(&fit);
  }
  if (!tainted.empty()) {
    const api::Taint* taint = api::first_untolerated(tainted.front()->pool.object->taints,
                                                     workload.pods->spec.tolerations, false);
    report(manifests, gpus ? "gpu-toleration-missing" : "fits-no-pool", workload, workload.pod_path,
           fmt::format("the pods would fit pool {}, but do not tolerate {}: they stay pending",
                       names_of(tainted), api::to_string(*taint)),
           fmt::format("a toleration of {}", api::to_string(*taint)));
    return;
  }
  report(
      manifests, gpus ? "gpu-unmet" : "fits-no-pool", workload, workload.pod_path,
      fmt::format("no pool can make a node for these pods{}: {}",
                  gpus ? "" : " (nodes that no pool makes are not known here)", fits.front().why),
      gpus ? "a pool with types that have these GPUs, or a smaller GPU request"
           : "a pool that meets the pods' requirements, or requirements that a pool meets");
}

// vLLM's images are built with CUDA 13 since v0.11, without code for compute capability below 7.5
// (gpu_inference.md 0).
bool is_current_vllm(std::string_view image) {
  if (image.find("vllm") == std::string_view::npos) return false;
  const size_t colon = image.rfind(':');
  if (colon == std::string_view::npos || image.find('/', colon) != std::string_view::npos) {
    return true;
  }
  std::string_view tag = image.substr(colon + 1);
  if (tag.starts_with('v')) tag.remove_prefix(1);
  const std::vector<std::string_view> parts = split(tag, '.');
  const auto major = parse_int(parts[0]);
  const auto minor = parts.size() > 1 ? parse_int(parts[1]) : Result<int64_t>(Error(""));
  if (!major.ok() || !minor.ok()) return tag == "latest" || tag == "nightly";
  return *major > 0 || *minor >= 11;
}

void check_gpu_age(Manifests& manifests, const Workload& workload,
                   const std::vector<const PoolFit*>& usable) {
  const auto& containers = workload.pods->spec.containers;
  const auto found = std::ranges::find_if(
      containers, [](const api::Container& c) { return is_current_vllm(c.image); });
  if (found == containers.end()) return;
  static constexpr std::array<std::string_view, 4> kTooOld{"k80", "m60", "p100", "v100"};
  std::vector<std::string> old;
  for (const PoolFit* fit : usable) {
    for (const catalog::InstanceType* type : fit->types) {
      if (std::ranges::find(kTooOld, type->gpu_name) == kTooOld.end()) continue;
      std::string name = fmt::format("{} ({})", type->name, type->gpu_name);
      if (std::ranges::find(old, name) == old.end()) old.push_back(std::move(name));
    }
  }
  if (old.empty()) return;
  const size_t count = old.size();
  constexpr size_t kShown = 3;
  if (count > kShown) old.resize(kShown);
  report(manifests, "gpu-too-old", workload, workload.pod_path,
         fmt::format("pool {} may buy {}{}: image {} has no code for GPUs older than compute "
                     "capability 7.5 (T4), so the server ends at its start",
                     names_of(usable), join(old, ", "),
                     count > kShown ? fmt::format(" and {} more", count - kShown) : "",
                     printable(found->image, 64)),
         "a requirement karpenter.k8s.aws/instance-gpu-name NotIn [k80, m60, v100] on the pool");
}

enum class DoNotDisrupt { kAbsent, kHolds, kIgnored };
DoNotDisrupt do_not_disrupt(const Workload& workload) {
  const auto found = workload.pods->annotations.find(api::kDoNotDisrupt);
  if (found == workload.pods->annotations.end()) return DoNotDisrupt::kAbsent;
  if (found->second == "true") return DoNotDisrupt::kHolds;
  // To say no is no mistake.
  if (found->second == "false") return DoNotDisrupt::kAbsent;
  const auto span = parse_duration(found->second);
  return span.ok() && span->ns > 0 ? DoNotDisrupt::kHolds : DoNotDisrupt::kIgnored;
}

// The pod's own choice of capacity type narrows the pool's.
bool is_spot_only(const PoolFit& fit, const Workload& workload) {
  api::Requirements asked = requirements_of(*fit.pool.object);
  asked.add(api::pod_requirements(workload.pods->spec, false));
  const api::Requirement& type = asked.get(api::kCapacityTypeLabel);
  return type.has(api::kSpot) && !type.has(api::kOnDemand) && !type.has(api::kReserved);
}

void check_annotation(Manifests& manifests, const Workload& workload,
                      const std::vector<const PoolFit*>& usable) {
  const DoNotDisrupt says = do_not_disrupt(workload);
  if (says == DoNotDisrupt::kIgnored) {
    const std::string& value = workload.pods->annotations.at(std::string(api::kDoNotDisrupt));
    report(manifests, "do-not-disrupt-ignored", workload, workload.pod_path,
           fmt::format("karpenter.sh/do-not-disrupt: \"{}\" is neither \"true\" nor a duration, "
                       "and Karpenter goes on as if it were not there",
                       printable(value, 64)),
           "\"true\", or a duration like \"2h\" counted from the pod's start");
  }
  if (says != DoNotDisrupt::kHolds || usable.empty()) return;
  if (!std::ranges::all_of(usable, [&](const PoolFit* f) { return is_spot_only(*f, workload); })) {
    return;
  }
  report(manifests, "spot-only-do-not-disrupt", workload, workload.pod_path,
         fmt::format("do-not-disrupt holds back Karpenter, not EC2: pool {} buys spot capacity "
                     "alone, which is taken away with two minutes' notice",
                     names_of(usable)),
         "karpenter.sh/capacity-type In [on-demand, reserved] for these pods, or checkpoints");
}

// The most pods there can be: of a scaled target its maximum.
int32_t most_pods(const Workload& workload, const Manifests& manifests) {
  for (const Scaled& scaled : all_scaled(manifests)) {
    const bool of_it = scaled.object == nullptr
                           ? scaled.meta == workload.meta
                           : scaled.object->target_kind == workload.kind &&
                                 scaled.object->target_name == workload.meta->name &&
                                 scaled.meta->namespace_name == workload.meta->namespace_name;
    if (of_it) return std::max(scaled.max, scaled.min);
  }
  for (const auto& [hpa, origin] : manifests.all<api::HorizontalPodAutoscaler>()) {
    if (hpa->target.kind == workload.kind && hpa->target.name == workload.meta->name &&
        hpa->meta.namespace_name == workload.meta->namespace_name) {
      return hpa->max_replicas;
    }
  }
  return workload.replicas;
}

void check_limits(Manifests& manifests, const Workload& workload,
                  const std::vector<const PoolFit*>& usable) {
  if (usable.empty()) return;
  const int32_t most = most_pods(workload, manifests);
  for (const auto& [name, milli] : api::pod_requests(workload.pods->spec)) {
    if (milli == 0) continue;
    double limit = 0;
    bool limited = true;
    for (const PoolFit* fit : usable) {
      limited = limited && fit->pool.object->limits.has(name);
      limit += static_cast<double>(fit->pool.object->limits.milli(name));
    }
    if (!limited || limit >= static_cast<double>(milli) * most) continue;
    const auto fitting = static_cast<int64_t>(limit / static_cast<double>(milli));
    report(manifests, "limits-below-max", workload, workload.pod_path,
           fmt::format("up to {} pods of {} each are asked for, and the limit of pool {} is "
                       "enough for {}: the others stay pending",
                       most, api::to_string(api::ResourceList{{name, milli}}), names_of(usable),
                       fitting),
           fmt::format("a limit of at least {}, or fewer replicas",
                       api::to_string(api::ResourceList{{name, milli * most}})));
  }
}

}  // namespace

void check_pods(Manifests& manifests) {
  const bool pools = !manifests.all<api::NodePool>().empty();
  for (const Workload& workload : manifests.workloads()) {
    const api::ResourceList requests = known_requests(workload, manifests.catalog());
    // Karpenter makes no node for pods with resource claims.
    const bool placed =
        !workload.pods->spec.has_resource_claims && workload.pods->spec.node_name.empty();
    std::vector<PoolFit> fits;
    std::vector<const PoolFit*> usable;
    if (placed && !check_any_type(manifests, workload, requests) && pools) {
      fits = try_pools(workload, manifests);
      for (const PoolFit& fit : fits) {
        if (fit.usable()) usable.push_back(&fit);
      }
      const bool unknown = std::ranges::any_of(
          fits, [](const PoolFit& f) { return is_reserved_only(*f.pool.object); });
      if (usable.empty() && !unknown) {
        report_no_pool(manifests, workload, fits, asks_for_gpus(requests));
      }
      check_gpu_age(manifests, workload, usable);
      check_limits(manifests, workload, usable);
    }
    check_annotation(manifests, workload, usable);
  }
}

}  // namespace windlass::lint
