// `windlass explain DECISIONS.jsonl`: why, in sentences.
#pragma once

#include <string>
#include <vector>

#include "cli/decision_log.h"

namespace windlass::cli {

// For people: a heading a policy, a line a decision. For programs: an array of the records with
// their sentences.
std::string explain_text(const std::vector<const DecisionRecord*>& records);
std::string explain_json(const std::vector<const DecisionRecord*>& records);

// "no decision about the pod x; there are: ...": the nearest names first.
std::string no_answer(const DecisionLog& log, const Question& question);

struct ExplainOptions {
  std::string file;
  Question question;  // without its time
  std::string at;     // empty: any time
  std::string output = "table";
};

// Prints to standard output. The exit code: 0, 1 if nothing answers, 2 if the file or the time
// can't be read.
int run_explain(const ExplainOptions& options);

}  // namespace windlass::cli
