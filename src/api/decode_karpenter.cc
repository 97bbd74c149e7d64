// NodePool and NodeClaim of karpenter.sh/v1: defaults and rules of reference karpenter.md 1.1, 1.2.
#include <algorithm>
#include <limits>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

constexpr std::string_view kNeverText = "Never";

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ([0-9]+(s|m|h))+: what Karpenter's durations may look like; `units` narrows it.
bool is_plain_duration(std::string_view text, std::string_view units) {
  if (text.empty() || !is_digit(text[0])) return false;
  for (size_t i = 0; i < text.size(); ++i) {
    const bool unit = units.find(text[i]) != std::string_view::npos;
    if (!is_digit(text[i]) && !(unit && is_digit(text[i - 1]))) return false;
  }
  return !is_digit(text.back());
}

// Two kinds of nothing: a field that is absent takes its default, one that says Never takes none.
struct PoolDuration {
  std::optional<Duration> value;  // nullopt: Never
};
enum class NeverIs { kAccepted, kRefused };

// Absent or wrong: nullopt.
std::optional<PoolDuration> read_pool_duration(const Reader& field, NeverIs never) {
  const auto text = field.string();
  if (!text) return std::nullopt;
  if (never == NeverIs::kAccepted && *text == kNeverText) return PoolDuration{};
  const auto parsed = is_plain_duration(*text, "smh") ? parse_duration(*text) : Error("");
  if (parsed.ok()) return PoolDuration{*parsed};
  field.error(fmt::format("found {} (accepted: whole numbers with s, m or h, like 30s or 1h30m{})",
                          describe(field.json()), never == NeverIs::kAccepted ? ", or Never" : ""));
  return std::nullopt;
}

// Karpenter looks the class up by group and kind whatever its version.
NodeClassRef read_node_class_ref(Reader ref) {
  NodeClassRef out;
  Reader group = ref.at("group");
  out.group = group.required_string();
  if (out.group.find('/') != std::string::npos) {
    group.error("holds a version (accepted: the group alone, like karpenter.k8s.aws)");
  }
  out.kind = ref.at("kind").required_string();
  out.name = ref.at("name").required_string();
  ref.warn_unknown_keys();
  return out;
}

// A node can carry one taint of a key and effect, so two could never both hold.
void check_taints_differ(const Reader& place, const std::vector<Taint>& taints,
                         const std::vector<Taint>& startup_taints) {
  std::set<std::pair<std::string, std::string>> seen;
  for (const auto* list : {&taints, &startup_taints}) {
    for (const Taint& taint : *list) {
      if (!seen.insert({taint.key, taint.effect}).second) {
        place.error(fmt::format("the taint {}:{} is there twice", taint.key, taint.effect));
      }
    }
  }
}

// What NodePool templates and NodeClaims share.
template <typename T>
void read_template_spec(Reader& spec, T& out) {
  Reader taints = spec.at("taints");
  out.taints = read_taints(taints);
  out.startup_taints = read_taints(spec.at("startupTaints"));
  check_taints_differ(taints, out.taints, out.startup_taints);
  Reader requirements = spec.at("requirements");
  constexpr bool kClaim = std::is_same_v<T, NodeClaim>;
  out.requirements = read_requirements(
      requirements, kClaim ? RequirementsOf::kNodeClaim : RequirementsOf::kNodePool);
  if (out.requirements.size() > 100) requirements.error("has more than 100 entries");
  Reader ref = spec.required("nodeClassRef");
  if (ref.present()) out.node_class = read_node_class_ref(std::move(ref));
  const auto grace = read_pool_duration(spec.at("terminationGracePeriod"), NeverIs::kRefused);
  if (grace) out.termination_grace = grace->value;
  out.expire_after = hours(720);
  const auto expire = read_pool_duration(spec.at("expireAfter"), NeverIs::kAccepted);
  if (expire) out.expire_after = expire->value;
}

// (100|[0-9]{1,2})% or a whole number.
std::optional<IntOrPercent> read_budget_nodes(const Reader& field) {
  const auto text = field.string();
  if (!text) return std::nullopt;
  const bool percent = text->ends_with('%');
  const std::string_view digits =
      std::string_view(*text).substr(0, text->size() - (percent ? 1 : 0));
  const bool plain = !digits.empty() && std::all_of(digits.begin(), digits.end(), is_digit);
  const auto count = parse_int(digits);
  const int64_t most = percent ? 100 : INT32_MAX;
  if (plain && count.ok() && *count <= most && (!percent || digits.size() <= 2 || *count == 100)) {
    return IntOrPercent{static_cast<int32_t>(*count), percent};
  }
  field.error(
      fmt::format("found {} (accepted: a number of nodes or a percentage, like \"5\" or "
                  "\"10%\")",
                  describe(field.json())));
  return std::nullopt;
}

// The shape of a cron line; what its fields mean is checked where it is evaluated.
bool looks_like_cron(const std::string& text) {
  if (text.starts_with('@')) {
    static const std::set<std::string_view> kNames{"@annually", "@yearly",   "@monthly", "@weekly",
                                                   "@daily",    "@midnight", "@hourly"};
    return kNames.contains(text);
  }
  size_t fields = 0;
  for (size_t at = text.find_first_not_of(" \t"); at != std::string::npos;
       at = text.find_first_not_of(" \t", text.find_first_of(" \t", at))) {
    ++fields;
    if (text.find_first_of(" \t", at) == std::string::npos) break;
  }
  return fields == 5;
}

// A schedule says when a budget begins to hold and the duration for how long, so neither means
// anything alone.
Budget read_budget(Reader item) {
  Budget out;
  if (const auto nodes = read_budget_nodes(item.at("nodes"))) out.nodes = *nodes;
  for (const Reader& reason : item.at("reasons").items()) {
    const auto name = reason.must().one_of<std::string>(
        {{"Underutilized", "Underutilized"}, {"Empty", "Empty"}, {"Drifted", "Drifted"}});
    if (name) out.reasons.push_back(*name);
  }
  Reader schedule = item.at("schedule");
  Reader duration = item.at("duration");
  out.schedule = schedule.string().value_or("");
  if (schedule.present() && !looks_like_cron(out.schedule)) {
    schedule.error(
        fmt::format("found {} (accepted: five cron fields in UTC, or @hourly, @daily, "
                    "@midnight, @weekly, @monthly, @yearly, @annually)",
                    describe(schedule.json())));
  }
  if (const auto text = duration.string()) {
    // Hours and minutes; a trailing 0s is how Go prints them.
    std::string_view whole = *text;
    if (whole.size() > 2 && whole.ends_with("0s") && !is_digit(whole[whole.size() - 3])) {
      whole.remove_suffix(2);
    }
    const auto parsed = is_plain_duration(whole, "mh") ? parse_duration(whole) : Error("");
    if (parsed.ok()) {
      out.duration = *parsed;
    } else {
      duration.error(fmt::format("found {} (accepted: hours and minutes, like 8h or 1h30m)",
                                 describe(duration.json())));
    }
  }
  if (schedule.present() != duration.present()) {
    item.error("schedule and duration go together (accepted: both or neither)");
  }
  item.warn_unknown_keys();
  return out;
}

// An absent list of budgets is one of 10 %; an empty one is no budget at all.
void read_disruption(Reader disruption, NodePool& out) {
  out.consolidation_policy =
      disruption.at("consolidationPolicy")
          .one_of<ConsolidationPolicy>(
              {{"WhenEmpty", ConsolidationPolicy::kWhenEmpty},
               {"WhenEmptyOrUnderutilized", ConsolidationPolicy::kWhenEmptyOrUnderutilized},
               {"Balanced", ConsolidationPolicy::kBalanced}})
          .value_or(ConsolidationPolicy::kWhenEmptyOrUnderutilized);
  const auto after = read_pool_duration(disruption.at("consolidateAfter"), NeverIs::kAccepted);
  if (after) out.consolidate_after = after->value;
  Reader budgets = disruption.at("budgets");
  if (budgets.present()) {
    out.budgets.clear();
    for (const Reader& item : budgets.items()) out.budgets.push_back(read_budget(item));
    if (out.budgets.size() > 50) budgets.error("has more than 50 entries");
  }
  disruption.warn_unknown_keys();
}

void read_pool_spec(Reader spec, NodePool& out) {
  Reader pool_template = spec.required("template");
  Reader meta = pool_template.at("metadata");
  Reader labels = meta.at("labels");
  for (const auto& [key, value] : read_labels(labels)) {
    check_pool_label(labels, key);
    out.labels[stable_label(key)] = value;
  }
  out.annotations = meta.at("annotations").string_map();
  meta.warn_unknown_keys();
  Reader template_spec = pool_template.required("spec");
  if (template_spec.present()) {
    read_template_spec(template_spec, out);
    template_spec.warn_unknown_keys();
  }
  pool_template.warn_unknown_keys();
  read_disruption(spec.at("disruption"), out);
  Reader limits = spec.at("limits");
  out.limits = limits.resources();
  Reader weight = spec.at("weight");
  out.weight = weight.int32(1, 100).value_or(0);
  out.replicas = spec.at("replicas").int32(0, INT32_MAX);
  if (out.replicas) {
    // A static pool is kept at its size: nothing chooses it, nothing but the count limits it.
    if (weight.present()) weight.error("a pool with replicas takes no weight");
    for (const auto& [name, milli] : out.limits) {
      if (name != "nodes") {
        limits.error(fmt::format("a pool with replicas takes a limit of nodes only, not {}", name));
      }
    }
  }
  spec.warn_unknown_keys();
}

}  // namespace

NodePool read_node_pool(Reader root) {
  NodePool out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  Reader spec = root.required("spec");
  if (spec.present()) read_pool_spec(std::move(spec), out);
  Reader status = root.at("status");
  out.conditions = read_conditions(status.at("conditions"));
  out.status_resources = status.at("resources").resources();
  out.status_nodes = status.at("nodes").int32(0, INT32_MAX).value_or(0);
  root.allow({"apiVersion", "kind"});
  root.warn_unknown_keys();
  return out;
}

NodeClaim read_node_claim(Reader root) {
  NodeClaim out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  Reader spec = root.required("spec");
  if (spec.present()) {
    read_template_spec(spec, out);
    out.requests = spec.at("resources").at("requests").resources();
  }
  Reader status = root.at("status");
  out.node_name = status.at("nodeName").string().value_or("");
  out.provider_id = status.at("providerID").string().value_or("");
  out.image_id = status.at("imageID").string().value_or("");
  out.capacity = status.at("capacity").resources();
  out.allocatable = status.at("allocatable").resources();
  out.conditions = read_conditions(status.at("conditions"));
  out.last_pod_event = status.at("lastPodEventTime").time();
  return out;
}

}  // namespace windlass::api
