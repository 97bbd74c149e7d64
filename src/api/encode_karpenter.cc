#include <fmt/format.h>

#include "api/encode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

constexpr std::string_view kNeverText = "Never";

std::string_view text_of(ConsolidationPolicy policy) {
  switch (policy) {
    case ConsolidationPolicy::kWhenEmpty:
      return "WhenEmpty";
    case ConsolidationPolicy::kWhenEmptyOrUnderutilized:
      return "WhenEmptyOrUnderutilized";
    case ConsolidationPolicy::kBalanced:
      return "Balanced";
  }
  WL_UNREACHABLE("consolidation policy");
}

// Pools and claims have the same fields under different maps.
template <typename T>
void write_template_spec(Json& spec, const T& value) {
  write_taints(spec, "taints", value.taints);
  write_taints(spec, "startupTaints", value.startup_taints);
  write_requirements(spec, "requirements", value.requirements);
  within(spec, "nodeClassRef", [&](Json& ref) {
    put_string(ref, "group", value.node_class.group);
    put_string(ref, "kind", value.node_class.kind);
    put_string(ref, "name", value.node_class.name);
  });
  put_duration(spec, "terminationGracePeriod", value.termination_grace, std::nullopt, "");
  put_duration(spec, "expireAfter", value.expire_after, hours(720), kNeverText);
}

void write_budget(Json& out, const Budget& budget) {
  put_string(out, "nodes", std::to_string(budget.nodes.value) + (budget.nodes.percent ? "%" : ""),
             "10%");
  put_strings(out, "reasons", budget.reasons);
  put_string(out, "schedule", budget.schedule);
  put_duration(out, "duration", budget.duration, std::nullopt, "");
}

// What an absent list means; writing it would change objects that never named a budget.
bool is_default_budget(const std::vector<Budget>& budgets) {
  return budgets.size() == 1 && budgets[0].nodes.percent && budgets[0].nodes.value == 10 &&
         budgets[0].reasons.empty() && budgets[0].schedule.empty();
}

// Instances left stand in an annotation, which is written with the others.
void write_class_status(Json& status, const Ec2NodeClass& node_class) {
  put_each(status, "capacityReservations", node_class.reservations, "id",
           [](Json& out, const CapacityReservation& reservation) {
             put_string(out, "id", reservation.id);
             put_string(out, out.contains("zone") ? "zone" : "availabilityZone", reservation.zone);
             put_string(out, "instanceType", reservation.instance_type);
             put_string(out, "reservationType", reservation.type,
                        out.contains("reservationType") ? "" : "default");
             put_string(out, "state", reservation.active ? "active" : "expiring", "active");
             put_time(out, "endTime", reservation.ends);
           });
  std::vector<std::string> ids = node_class.ami_ids;
  put_each(status, "amis", ids, "id",
           [](Json& out, const std::string& id) { put_string(out, "id", id); });
}

// "1.50" says what 1.5 does.
bool same_price(const Json& written, double price) {
  if (!written.is_string()) return false;
  const auto parsed = parse_double(written.get_ref<const std::string&>());
  return parsed.ok() && *parsed == price;
}

}  // namespace

void write(Json& out, const NodePool& pool) {
  write_meta(out, pool.meta);
  within(out, "spec", [&](Json& spec) {
    within(spec, "template", [&](Json& t) {
      within(t, "metadata", [&](Json& meta) {
        put_string_map(meta, "labels", pool.labels);
        put_string_map(meta, "annotations", pool.annotations);
      });
      within(t, "spec", [&](Json& template_spec) { write_template_spec(template_spec, pool); });
    });
    within(spec, "disruption", [&](Json& disruption) {
      put_string(disruption, "consolidationPolicy", std::string(text_of(pool.consolidation_policy)),
                 "WhenEmptyOrUnderutilized");
      put_duration(disruption, "consolidateAfter", pool.consolidate_after, Duration{}, kNeverText);
      if (disruption.contains("budgets") || !is_default_budget(pool.budgets)) {
        put_each(disruption, "budgets", pool.budgets, "schedule", write_budget);
        // An empty list (no limit) differs from none (10 %).
        if (pool.budgets.empty()) disruption["budgets"] = Json::array();
      }
    });
    put_resources(spec, "limits", pool.limits);
    put_int(spec, "weight", pool.weight, 0);
    put_int(spec, "replicas", pool.replicas);
  });
  within(out, "status", [&](Json& status) {
    write_conditions(status, pool.conditions);
    put_resources(status, "resources", pool.status_resources);
    put_int(status, "nodes", pool.status_nodes, 0);
  });
}

void write(Json& out, const NodeClaim& claim) {
  write_meta(out, claim.meta);
  within(out, "spec", [&](Json& spec) {
    write_template_spec(spec, claim);
    within(spec, "resources",
           [&](Json& resources) { put_resources(resources, "requests", claim.requests); });
  });
  within(out, "status", [&](Json& status) {
    put_string(status, "nodeName", claim.node_name);
    put_string(status, "providerID", claim.provider_id);
    put_string(status, "imageID", claim.image_id);
    put_resources(status, "capacity", claim.capacity);
    put_resources(status, "allocatable", claim.allocatable);
    write_conditions(status, claim.conditions);
    put_time(status, "lastPodEventTime", claim.last_pod_event);
  });
}

void write(Json& out, const Ec2NodeClass& node_class) {
  write_meta(out, node_class.meta);
  within(out, "spec", [&](Json& spec) {
    if (!node_class.ami_alias.empty()) {
      spec["amiSelectorTerms"] = Json::array({{{"alias", node_class.ami_alias}}});
    }
    // An alias names the family as well, so it is written only where it was or must be.
    if (spec.contains("amiFamily") || node_class.ami_alias.empty()) {
      put_string(spec, "amiFamily", node_class.ami_family);
    }
    within(spec, "kubelet", [&](Json& kubelet) {
      // A text there is an expression, which the reader leaves alone.
      const auto put_count = [&](const char* key, const std::optional<int32_t>& value) {
        if (value || !kubelet.value(key, Json()).is_string()) put_int(kubelet, key, value);
      };
      put_count("maxPods", node_class.max_pods);
      put_count("podsPerCore", node_class.pods_per_core);
      put_resources(kubelet, "kubeReserved", node_class.kube_reserved);
      put_resources(kubelet, "systemReserved", node_class.system_reserved);
      put_string_map(kubelet, "evictionHard", node_class.eviction_hard);
    });
    // Of a class made here. One that was read keeps its mappings: which of them is the root volume
    // depends on the image family.
    if (node_class.root_volume_bytes && !spec.contains("blockDeviceMappings")) {
      const Quantity size =
          Quantity::from_units(*node_class.root_volume_bytes, Quantity::Format::kBinarySI);
      spec["blockDeviceMappings"] = Json::array(
          {{{"deviceName", node_class.ami_family == "Bottlerocket" ? "/dev/xvdb" : "/dev/xvda"},
            {"rootVolume", true},
            {"ebs", {{"volumeSize", size.to_string()}}}}});
    }
    put_string(spec, "instanceStorePolicy", node_class.raid0 ? "RAID0" : "");
  });
  within(out, "status", [&](Json& status) { write_class_status(status, node_class); });
}

void write(Json& out, const NodeOverlay& overlay) {
  write_meta(out, overlay.meta);
  within(out, "spec", [&](Json& spec) {
    write_requirements(spec, "requirements", overlay.requirements);
    if (!overlay.price_usd_per_hour) {
      spec.erase("price");
    } else if (!spec.contains("price") || !same_price(spec["price"], *overlay.price_usd_per_hour)) {
      spec["price"] = fmt::format("{}", *overlay.price_usd_per_hour);
    }
    put_string(spec, "priceAdjustment", overlay.price_adjustment);
    put_resources(spec, "capacity", overlay.capacity);
    put_int(spec, "weight", overlay.weight, 0);
  });
}

}  // namespace windlass::api
