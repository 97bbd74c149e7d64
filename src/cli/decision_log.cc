#include "cli/decision_log.h"

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/json_reader.h"
#include "base/text.h"
#include "controllers/decision_text.h"

namespace windlass::cli {
namespace {

Result<DecisionRecord> read_line(std::string_view text, size_t number) {
  const auto json = parse_json(text);
  if (!json.ok()) return json.error();
  api::ReadLog log;
  api::Reader root(*json, "", log);
  if (!root.expect_map()) return Error("not a map");
  DecisionRecord out;
  out.line = number;
  const auto time = root.required("time").time();
  if (time) out.time = *time;
  out.policy = root.at("policy").string().value_or("");
  out.controller = root.at("controller").required_string();
  out.object = root.at("object").required_string();
  out.decision = root.at("decision").required_string();
  for (const auto& [name, value] : root.at("inputs").entries()) {
    out.inputs.emplace_back(name, value.string().value_or(""));
  }
  out.result = root.at("result").string().value_or("");
  out.reasons = root.at("reasons").strings();
  if (!log.errors.empty()) return Error(log.joined_errors());
  return out;
}

// The part behind the kind: "inference/vllm".
std::string_view without_kind(std::string_view object) {
  const size_t slash = object.find('/');
  return slash == std::string_view::npos ? object : object.substr(slash + 1);
}

std::string_view kind_of(std::string_view object) { return object.substr(0, object.find('/')); }

bool lists_pod(const DecisionRecord& record, std::string_view pod) {
  const std::string pods = record.input("pods");
  return std::ranges::any_of(split(pods, ','), [&](std::string_view one) {
    return names_object(fmt::format("Pod/{}", trim(one)), pod);
  });
}

bool names_claim(const DecisionRecord& record, const std::string& claim) {
  return kind_of(record.object) == "NodeClaim" && names_object(record.object, claim);
}

using Records = std::vector<const DecisionRecord*>;

// The last record at or before `before` that `fits`, or nullptr.
template <typename Fits>
const DecisionRecord* last(const Records& records, Instant before, Fits fits) {
  const DecisionRecord* found = nullptr;
  for (const DecisionRecord* record : records) {
    if (record->time <= before && fits(*record)) found = record;
  }
  return found;
}

// A pod's way: wanted, pending, a claim made and launched for it, bound, its node taken away.
Records chain_of_pod(const Records& records, const Question& question) {
  const Instant until = question.at.value_or(kNever);
  Records out;
  const auto keep = [&](const DecisionRecord* record) {
    if (record != nullptr) out.push_back(record);
  };
  const auto is_pod = [&](const DecisionRecord& record, std::string_view decision) {
    return record.decision == decision && kind_of(record.object) == "Pod" &&
           names_object(record.object, question.pod);
  };
  const auto* bound = last(records, until, [&](const auto& r) { return is_pod(r, "bind"); });
  const auto* pending =
      last(records, until, [&](const auto& r) { return is_pod(r, "unschedulable"); });
  const auto* created = last(records, until, [&](const DecisionRecord& r) {
    return kind_of(r.object) == "NodeClaim" && lists_pod(r, question.pod);
  });
  const std::string owner = bound == nullptr ? "" : bound->input("owner");
  const DecisionRecord* first = created != nullptr ? created : pending != nullptr ? pending : bound;
  if (!owner.empty()) {
    keep(last(records, first->time, [&](const DecisionRecord& r) {
      return kind_of(r.object) == "ScaledObject" && r.input("target") == owner;
    }));
  }
  keep(pending);
  // A claim made for the pod counts until it is bound; the one it is bound to counts on.
  const std::string lives_on = bound == nullptr ? "" : bound->input("claim");
  const std::string made_for = created == nullptr ? "" : std::string(without_kind(created->object));
  const Instant placed = bound == nullptr ? until : std::min(until, bound->time);
  for (const DecisionRecord* record : records) {
    const bool on = !lives_on.empty() && names_claim(*record, lives_on) && record->time <= until;
    const bool for_it = !made_for.empty() && names_claim(*record, made_for);
    if (on || (for_it && record->time <= placed)) keep(record);
  }
  keep(bound);
  std::ranges::stable_sort(out, {},
                           [](const DecisionRecord* r) { return std::pair(r->time, r->line); });
  out.erase(std::ranges::unique(out).begin(), out.end());
  return out;
}

// Decisions about the node's claim, whichever of the two names is asked for, and the pods it got.
Records story_of_node(const Records& records, const std::string& node) {
  std::set<std::string> claims{node};
  for (const DecisionRecord* record : records) {
    if (record->decision == "bind" && record->input("node") == node) {
      claims.insert(record->input("claim"));
    }
  }
  claims.erase("");
  Records out;
  for (const DecisionRecord* record : records) {
    const bool bound = record->decision == "bind" &&
                       (record->input("node") == node || claims.contains(record->input("claim")));
    const bool of_claim = std::ranges::any_of(
        claims, [&](const std::string& claim) { return names_claim(*record, claim); });
    if (bound || of_claim) out.push_back(record);
  }
  return out;
}

// Of each object the last record at or before the time.
Records last_of_each(const Records& records, Instant at) {
  std::map<std::string_view, const DecisionRecord*> by_object;
  for (const DecisionRecord* record : records) {
    if (record->time <= at) by_object[record->object] = record;
  }
  Records out;
  for (const auto& [object, record] : by_object) out.push_back(record);
  std::ranges::stable_sort(out, {},
                           [](const DecisionRecord* r) { return std::pair(r->time, r->line); });
  return out;
}

Records answer_one(const Records& records, const Question& question) {
  if (!question.pod.empty()) return chain_of_pod(records, question);
  Records out = records;
  if (!question.node.empty()) {
    out = story_of_node(records, question.node);
  } else if (!question.object.empty()) {
    std::erase_if(out, [&](const DecisionRecord* record) {
      return !names_object(record->object, question.object);
    });
  }
  return question.at ? last_of_each(out, *question.at) : out;
}

}  // namespace

std::string DecisionRecord::input(std::string_view name) const {
  const auto found = std::ranges::find(inputs, name, &std::pair<std::string, std::string>::first);
  return found == inputs.end() ? "" : found->second;
}

DecisionLog read_decision_log(std::string_view text) {
  DecisionLog out;
  size_t number = 0;
  for (std::string_view line : split(text, '\n')) {
    ++number;
    line = trim(line);
    if (line.empty()) continue;
    auto record = read_line(line, number);
    if (record.ok()) {
      out.records.push_back(*std::move(record));
    } else {
      out.bad_lines.push_back(fmt::format("line {}: {}", number, record.error().message()));
    }
  }
  return out;
}

bool names_object(std::string_view object, std::string_view name) {
  if (object == name) return true;
  const std::string_view kind = kind_of(object);
  return std::ranges::any_of(split(without_kind(object), ','), [&](std::string_view one) {
    if (one == name || one.substr(one.rfind('/') + 1) == name) return true;
    return name.size() == kind.size() + 1 + one.size() && name.starts_with(kind) &&
           name.ends_with(one);
  });
}

Result<Instant> parse_decision_time(std::string_view text, Instant start) {
  if (const auto time = parse_rfc3339(text); time.ok()) return *time;
  const auto offset = parse_duration(text);
  // Offsets beyond a century would not fit beside a start.
  if (offset.ok() && offset->ns >= 0 && *offset < hours(24 * 36'525)) return start + *offset;
  return Error(
      fmt::format("found \"{}\" (accepted: RFC 3339 like 2026-03-02T08:10:00Z, or an "
                  "offset from the first decision like 25m)",
                  text.substr(0, 64)));
}

std::vector<const DecisionRecord*> answer(const DecisionLog& log, const Question& question) {
  std::vector<std::string> policies;
  std::map<std::string, Records> by_policy;
  for (const DecisionRecord& record : log.records) {
    if (!question.policy.empty() && record.policy != question.policy) continue;
    Records& records = by_policy[record.policy];
    if (records.empty()) policies.push_back(record.policy);
    records.push_back(&record);
  }
  Records out;
  for (const std::string& policy : policies) {
    const Records part = answer_one(by_policy[policy], question);
    out.insert(out.end(), part.begin(), part.end());
  }
  return out;
}

std::string sentence_of(const DecisionRecord& record) {
  const controllers::Decision decision{record.object, record.decision, record.inputs, record.result,
                                       record.reasons};
  return to_rfc3339(record.time) + " " + controllers::full_sentence(record.controller, decision);
}

}  // namespace windlass::cli
