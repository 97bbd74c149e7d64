// `windlass explain DECISIONS.jsonl`: why, in sentences.
#pragma once

#include <string>
#include <vector>

#include "cli/decision_log.h"

namespace CLI {
class App;
}

namespace windlass::cli {

// For people: a heading a policy, a line a decision. For programs: an array of the records with
// their sentences.
std::string explain_text(const std::vector<const DecisionRecord*>& records);
std::string explain_json(const std::vector<const DecisionRecord*>& records);

// "no decision about the pod x; there are: ...": the nearest names first.
std::string no_answer(const DecisionLog& log, const Question& question);

// Registers the subcommand. When it is chosen it prints to standard output and sets `exit_code`: 1
// if nothing answers, 2 if the file or a flag can't be read.
void add_explain_command(CLI::App& app, int& exit_code);

}  // namespace windlass::cli
