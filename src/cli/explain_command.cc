#include "cli/explain_command.h"

#include <algorithm>
#include <iostream>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "base/utf8.h"
#include "cli/plan_input.h"

namespace windlass::cli {
namespace {

// The names a question could have asked for.
std::set<std::string> names_for(const DecisionLog& log, const Question& question) {
  std::set<std::string> out;
  for (const DecisionRecord& record : log.records) {
    const std::string_view object = record.object;
    const std::string_view name = object.substr(object.find('/') + 1);
    if (!question.pod.empty()) {
      if (object.starts_with("Pod/")) out.emplace(name);
      const std::string pods = record.input("pods");
      for (const std::string_view pod : split(pods, ',')) {
        if (!trim(pod).empty()) out.emplace(trim(pod));
      }
    } else if (!question.node.empty()) {
      if (!record.input("node").empty()) out.insert(record.input("node"));
      if (!object.starts_with("NodeClaim/")) continue;
      for (const std::string_view claim : split(name, ',')) out.emplace(claim);
    } else {
      out.emplace(object);
    }
  }
  return out;
}

}  // namespace

std::string explain_text(const std::vector<const DecisionRecord*>& records) {
  std::string out;
  std::string policy;
  for (const DecisionRecord* record : records) {
    if (out.empty() || record->policy != policy) {
      policy = record->policy;
      if (!out.empty()) out += "\n";
      if (!policy.empty()) out += fmt::format("Policy {}\n", printable(policy, 64));
    }
    out += printable(sentence_of(*record), 4096) + "\n";
  }
  return out;
}

std::string explain_json(const std::vector<const DecisionRecord*>& records) {
  auto out = nlohmann::ordered_json::array();
  for (const DecisionRecord* record : records) {
    nlohmann::ordered_json item;
    item["time"] = to_rfc3339(record->time);
    item["policy"] = record->policy;
    item["controller"] = record->controller;
    item["object"] = record->object;
    item["decision"] = record->decision;
    item["inputs"] = nlohmann::ordered_json::object();
    for (const auto& [name, value] : record->inputs) item["inputs"][name] = value;
    item["result"] = record->result;
    item["reasons"] = record->reasons;
    item["sentence"] = sentence_of(*record);
    item["line"] = record->line;
    out.push_back(std::move(item));
  }
  return out.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) + "\n";
}

std::string no_answer(const DecisionLog& log, const Question& question) {
  const std::string& asked = !question.pod.empty()    ? question.pod
                             : !question.node.empty() ? question.node
                                                      : question.object;
  if (!question.policy.empty() && std::ranges::none_of(log.records, [&](const auto& r) {
        return r.policy == question.policy;
      })) {
    std::set<std::string> policies;
    for (const DecisionRecord& record : log.records) policies.insert(record.policy);
    return fmt::format("no decision of policy {} (there are: {})", printable(question.policy, 64),
                       fmt::join(policies, ", "));
  }
  if (asked.empty()) return "no decision at or before that time";
  const std::set<std::string> names = names_for(log, question);
  if (names.empty()) return "the file names none of these";
  std::vector<std::string> shown;
  // Names that hold what was asked for come first, as short forms go.
  for (const std::string& name : names) {
    if (name.find(asked) != std::string::npos) shown.push_back(name);
  }
  const std::vector<std::string_view> views(names.begin(), names.end());
  const std::string near = asked.size() > 128 ? "" : std::string(nearest_name(asked, views));
  if (!near.empty() && std::ranges::find(shown, near) == shown.end()) shown.push_back(near);
  if (shown.empty()) shown.assign(names.begin(), names.end());
  const size_t count = shown.size();
  constexpr size_t kShown = 10;
  if (count > kShown) shown.resize(kShown);
  return fmt::format("no decision about {}{} (there are: {}{})", printable(asked, 128),
                     question.at ? " at or before that time" : "",
                     printable(join(shown, ", "), 1024),
                     count > kShown ? fmt::format(" and {} more", count - kShown) : "");
}

int run_explain(const ExplainOptions& options) {
  const auto text = read_file(options.file);
  if (!text.ok()) {
    std::cerr << "error: " << text.error().message() << "\n";
    return 2;
  }
  const DecisionLog log = read_decision_log(*text);
  for (const std::string& bad : log.bad_lines) {
    std::cerr << fmt::format("warning: {}: {}; skipped\n", options.file, bad);
  }
  if (log.records.empty()) {
    std::cerr << fmt::format(
        "error: {}: holds no decisions (windlass simulate --decisions FILE "
        "writes them)\n",
        options.file);
    return 2;
  }
  Question question = options.question;
  if (!options.at.empty()) {
    const auto at = parse_decision_time(options.at, log.records.front().time);
    if (!at.ok()) {
      std::cerr << "error: --at: " << at.error().message() << "\n";
      return 2;
    }
    question.at = *at;
  }
  const auto records = answer(log, question);
  if (records.empty()) {
    std::cerr << "error: " << no_answer(log, question) << "\n";
    return 1;
  }
  std::cout << (options.output == "json" ? explain_json(records) : explain_text(records));
  return 0;
}

}  // namespace windlass::cli
