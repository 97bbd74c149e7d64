// The file that `windlass simulate --decisions` writes, read back: who decided what, when, from
// which inputs.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace windlass::cli {

struct DecisionRecord {
  size_t line = 0;
  Instant time{};
  std::string policy;
  std::string controller;
  std::string object;  // "ScaledObject/inference/vllm", "NodeClaim/a,b"
  std::string decision;
  std::vector<std::pair<std::string, std::string>> inputs;
  std::string result;
  std::vector<std::string> reasons;

  // "" without such an input.
  [[nodiscard]] std::string input(std::string_view name) const;
};

struct DecisionLog {
  std::vector<DecisionRecord> records;  // in the order of the file
  std::vector<std::string> bad_lines;   // "line 7: ...": skipped
};

DecisionLog read_decision_log(std::string_view text);

// Kind and name are the same object's: all of "ScaledObject/inference/vllm", "inference/vllm" and
// "vllm" name it. Claims of one command stand in one object, with commas between.
bool names_object(std::string_view object, std::string_view name);

// RFC 3339, or an offset like "25m" from `start`.
Result<Instant> parse_decision_time(std::string_view text, Instant start);

// What is asked of a log; at most one of the names is set.
struct Question {
  std::string pod;
  std::string node;
  std::string object;
  std::string policy;  // empty: all
  std::optional<Instant> at;
};

// The records that answer, in time's order within each policy:
// - a pod: the last decision about the replicas it is one of, that it found no place, its claim's
//   creation and launch, that it was bound, and what became of its node while nothing else is said;
// - a node (or claim): all about its claim, and the pods bound to it;
// - an object: all about it;
// - with a time: of each of these only the last one at or before it. Nothing named: all objects.
std::vector<const DecisionRecord*> answer(const DecisionLog& log, const Question& question);

// One record as sentences.
std::string sentence_of(const DecisionRecord& record);

}  // namespace windlass::cli
