#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "api/names.h"
#include "base/text.h"

namespace windlass::api {
namespace {

// The uid is not required: manifests written by hand have none.
std::vector<OwnerReference> read_owners(const Reader& list) {
  std::vector<OwnerReference> owners;
  for (Reader item : list.items()) {
    OwnerReference owner;
    owner.api_version = item.at("apiVersion").required_string();
    owner.kind = item.at("kind").required_string();
    owner.name = item.at("name").required_string();
    owner.uid = item.at("uid").string().value_or("");
    owner.controller = item.at("controller").boolean().value_or(false);
    owners.push_back(std::move(owner));
  }
  return owners;
}

// Only integers can be compared; another server's opaque text stays in raw and counts as 0.
uint64_t read_resource_version(const Reader& field) {
  const std::string text = field.string().value_or("");
  uint64_t version = 0;
  const char* end = text.data() + text.size();
  const auto [at, code] = std::from_chars(text.data(), end, version);
  return code == std::errc() && at == end ? version : 0;
}

}  // namespace

StringMap read_labels(const Reader& labels) {
  StringMap out = labels.string_map();
  for (const auto& [key, field] : labels.entries()) {
    if (!is_qualified_name(key)) {
      field.error(fmt::format("not a label key (accepted: {})", kAcceptedKey));
    } else if (!is_label_value(out[key])) {
      field.error(
          fmt::format("found {} (accepted: {})", describe(field.json()), kAcceptedLabelValue));
    }
  }
  return out;
}

ObjectMeta read_meta(Reader meta, Scope scope) {
  ObjectMeta out;
  Reader name = meta.at("name");
  out.name = name.required_string();
  if (!out.name.empty() && !is_dns_subdomain(out.name)) {
    name.error(fmt::format("found {} (accepted: {})", describe(name.json()), kAcceptedName));
  }
  if (scope == Scope::kNamespaced) {
    // Where kubectl puts what names no namespace.
    out.namespace_name = meta.at("namespace").string().value_or("default");
    if (out.namespace_name.empty()) out.namespace_name = "default";
  }
  out.uid = meta.at("uid").string().value_or("");
  out.labels = read_labels(meta.at("labels"));
  out.annotations = meta.at("annotations").string_map();
  out.owners = read_owners(meta.at("ownerReferences"));
  out.finalizers = meta.at("finalizers").strings();
  out.created = meta.at("creationTimestamp").time().value_or(Instant{});
  out.deleted = meta.at("deletionTimestamp").time();
  out.generation = meta.at("generation").integer(0, INT64_MAX).value_or(0);
  out.resource_version = read_resource_version(meta.at("resourceVersion"));
  return out;
}

// The API server refuses an In without values, which could never hold, and values that would be
// ignored.
LabelSelector read_selector(Reader selector) {
  using Op = LabelSelectorTerm::Op;
  LabelSelector out;
  out.match_labels = read_labels(selector.at("matchLabels"));
  for (Reader item : selector.at("matchExpressions").items()) {
    LabelSelectorTerm term;
    term.key = item.at("key").required_string();
    const auto op = item.required("operator")
                        .one_of<Op>({{"In", Op::kIn},
                                     {"NotIn", Op::kNotIn},
                                     {"Exists", Op::kExists},
                                     {"DoesNotExist", Op::kDoesNotExist}});
    Reader values = item.at("values");
    term.values = values.strings();
    if (!op) continue;
    term.op = *op;
    const bool takes_values = term.op == Op::kIn || term.op == Op::kNotIn;
    if (takes_values && term.values.empty())
      values.error("is empty (accepted: at least one value)");
    if (!takes_values && !term.values.empty())
      values.error("Exists and DoesNotExist take no values");
    out.match_expressions.push_back(std::move(term));
  }
  return out;
}

LabelSelector read_selector_or_nothing(Reader selector) {
  if (selector.present()) return read_selector(std::move(selector));
  return {{}, {{"", LabelSelectorTerm::Op::kIn, {}}}};
}

bool is_nothing(const LabelSelector& selector) {
  const auto& terms = selector.match_expressions;
  return terms.size() == 1 && terms.front().key.empty() && terms.front().values.empty();
}

std::vector<Condition> read_conditions(const Reader& conditions) {
  std::vector<Condition> out;
  for (Reader item : conditions.items()) {
    Condition condition;
    condition.type = item.at("type").required_string();
    condition.status = item.at("status").string().value_or("Unknown");
    condition.reason = item.at("reason").string().value_or("");
    condition.message = item.at("message").string().value_or("");
    condition.changed = item.at("lastTransitionTime").time().value_or(Instant{});
    out.push_back(std::move(condition));
  }
  return out;
}

std::vector<Taint> read_taints(const Reader& taints) {
  std::vector<Taint> out;
  for (Reader item : taints.items()) {
    Taint taint;
    Reader key = item.at("key");
    taint.key = key.required_string();
    if (!taint.key.empty() && !is_qualified_name(taint.key)) {
      key.error(fmt::format("found {} (accepted: {})", describe(key.json()), kAcceptedKey));
    }
    Reader value = item.at("value");
    taint.value = value.string().value_or("");
    if (!is_label_value(taint.value)) {
      value.error(
          fmt::format("found {} (accepted: {})", describe(value.json()), kAcceptedLabelValue));
    }
    taint.effect = item.required("effect")
                       .one_of<std::string>({{"NoSchedule", "NoSchedule"},
                                             {"PreferNoSchedule", "PreferNoSchedule"},
                                             {"NoExecute", "NoExecute"}})
                       .value_or("");
    out.push_back(std::move(taint));
  }
  return out;
}

// Kubernetes' IntOrString: a number in quotes is not a number there.
std::optional<IntOrPercent> read_int_or_percent(const Reader& value) {
  if (!value.present()) return std::nullopt;
  if (!value.json().is_string()) {
    const auto count = value.int32(0, INT32_MAX);
    if (!count) return std::nullopt;
    return IntOrPercent{*count, false};
  }
  const auto& text = value.json().get_ref<const std::string&>();
  if (text.ends_with('%') && !text.starts_with('-')) {
    const auto percent = parse_int(std::string_view(text).substr(0, text.size() - 1));
    if (percent.ok() && *percent <= 100) return IntOrPercent{static_cast<int32_t>(*percent), true};
  }
  value.error(fmt::format("found {} (accepted: a whole number, or a percentage like \"25%\")",
                          describe(value.json())));
  return std::nullopt;
}

}  // namespace windlass::api
