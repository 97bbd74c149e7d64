// Makes a scenario of a history: the user's models and manifests, the recorded traffic, start-up
// times and beginnings. Written as files, so that `windlass simulate` gives what the replay gives.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "cli/replay_history.h"

namespace windlass::cli {

// The --models file: a scenario, its spec alone, or the list of its models; traffic is not needed.
// Its other sections take precedence over what was recorded.
struct ModelsFile {
  std::shared_ptr<Json> spec;  // never null; has models[]
  std::vector<std::string> names;
  std::vector<std::string> deployments;  // beside them
  std::vector<std::string> manifests;    // paths as they can be opened from here
};
Result<ModelsFile> read_models_file(const std::string& path);

struct ReplayScenarioInput {
  std::string source;  // Prometheus' address, for the file's comment
  const ReplayHistory* history = nullptr;
  const ModelsFile* models = nullptr;
  std::vector<std::string> manifests;  // files; "-" is standard input
  std::vector<std::string> policies;   // empty: the models file's, else all that can be run
  std::optional<uint64_t> seed;
};
struct ReplayScenario {
  std::string path;                  // of scenario.yaml
  std::vector<std::string> found;    // sentences: what Prometheus knew
  std::vector<std::string> assumed;  // and what it did not
};
// Writes scenario.yaml, a trace a model and copies of the manifests into `directory`.
Result<ReplayScenario> write_scenario(const std::string& directory,
                                      const ReplayScenarioInput& input);

// A JSON value as block YAML, two blanks a level; short maps of scalars on one line.
std::string yaml_text(const Json& value);

}  // namespace windlass::cli
