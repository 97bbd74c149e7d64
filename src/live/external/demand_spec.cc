#include "live/external/demand_spec.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace windlass::live::external {
namespace {

constexpr const char* kQueryKeys[kSignals] = {"arrivalsQuery",       "waitingQuery",
                                              "inputTokensQuery",    "outputTokensQuery",
                                              "inputTokensP95Query", "outputTokensP95Query"};
// Of a prometheus trigger; they go along with every query.
constexpr const char* kPrometheusKeys[] = {"serverAddress",    "namespace", "customHeaders",
                                           "queryParameters",  "timeout",   "unsafeSsl",
                                           "ignoreNullValues", "authModes"};

// Reads fields and gathers what is wrong with them.
class Fields {
 public:
  explicit Fields(const api::StringMap& metadata) : metadata_(metadata) {}

  [[nodiscard]] std::string text(const char* key) const {
    const auto found = metadata_.find(key);
    return found == metadata_.end() ? "" : std::string(trim(found->second));
  }
  double number(const char* key, double otherwise, double least, double most) {
    const std::string value = text(key);
    if (value.empty()) return otherwise;
    const auto read = parse_double(value);
    if (read.ok() && *read >= least && *read <= most) return *read;
    fail(key, fmt::format("not a number from {} to {}", least, most));
    return otherwise;
  }
  Duration length(const char* key, Duration otherwise) {
    const std::string value = text(key);
    if (value.empty()) return otherwise;
    const auto read = parse_duration(value);
    if (read.ok() && read->ns > 0 && *read <= hours(24)) return *read;
    fail(key, "not a duration above 0 like 500ms, 2s or 5m");
    return otherwise;
  }
  void fail(const char* key, std::string_view what) {
    faults_.push_back(fmt::format("{}: {}", key, what));
  }
  void take(const Error& error) { faults_.push_back(error.message()); }
  [[nodiscard]] const std::vector<std::string>& faults() const { return faults_; }

 private:
  const api::StringMap& metadata_;
  std::vector<std::string> faults_;
};

// What may stand in a metric's name in an API path.
std::string metric_name(const std::string& model) {
  std::string out = "windlass-" + model.substr(0, 100);
  for (char& c : out) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    } else if (!plain) {
      c = '-';
    }
  }
  return out;
}

// A published model, or one whose figures are given.
std::optional<catalog::ModelCard> card_of(const std::string& name, Fields& fields) {
  const catalog::ModelCard* known = catalog::find_model(name);
  catalog::ModelCard card = known == nullptr ? catalog::ModelCard{} : *known;
  card.name = name;
  card.parameters = fields.number("parameters", card.parameters, 1, 1e14);
  card.kv_bytes_per_token = fields.number("kvBytesPerToken", card.kv_bytes_per_token, 1, 1e9);
  card.bytes_per_weight = fields.number("bytesPerWeight", card.bytes_per_weight, 0.1, 8);
  card.tensor_parallel =
      static_cast<int>(fields.number("tensorParallel", card.tensor_parallel, 1, 64));
  card.memory_utilization = fields.number("memoryUtilization", card.memory_utilization, 0.05, 1);
  if (card.parameters > 0 && card.kv_bytes_per_token > 0) return card;
  fields.fail("model",
              fmt::format("\"{}\" is no published model: give parameters and kvBytesPerToken, or "
                          "replicaRequestsPerSecond",
                          name.substr(0, 100)));
  return std::nullopt;
}

void read_profile(const std::string& model, Fields& fields, DemandSpec& spec) {
  if (fields.text("slo").empty()) fields.fail("slo", "required");
  spec.slo = fields.length("slo", seconds(1));
  const catalog::GpuCard* gpu = catalog::find_gpu(fields.text("gpu"));
  if (gpu == nullptr) {
    std::vector<std::string> known;
    for (const catalog::GpuCard& card : catalog::gpu_cards()) known.push_back(card.name);
    known.erase(std::unique(known.begin(), known.end()), known.end());
    fields.fail("gpu", "one of " + join(known, ", "));
  }
  const auto card = card_of(model, fields);
  const auto sequences = static_cast<int>(fields.number("maxSequences", 256, 1, 4096));
  const auto tokens = static_cast<int>(fields.number("maxBatchedTokens", 2048, 1, 1e6));
  if (gpu == nullptr || !card) return;
  if (const auto measured = catalog::measured_profile(*card, *gpu)) {
    spec.profile = *measured;
  } else if (const auto made = catalog::roofline_profile(*card, *gpu); made.ok()) {
    spec.profile = *made;
  } else {
    fields.take(made.error().in("model"));
  }
  spec.profile.max_sequences = sequences;
  spec.profile.max_batched_tokens = tokens;
}

void read_queries(const api::StringMap& metadata, Fields& fields, DemandSpec& spec) {
  for (size_t i = 0; i < kSignals; ++i) {
    const std::string query = fields.text(kQueryKeys[i]);
    if (query.empty()) continue;
    api::Trigger trigger;
    trigger.type = "prometheus";
    for (const char* key : kPrometheusKeys) {
      if (const auto found = metadata.find(key); found != metadata.end()) {
        trigger.metadata[key] = found->second;
      }
    }
    trigger.metadata["query"] = query;
    trigger.metadata["threshold"] = "1";
    std::vector<std::string> ignored;
    auto plans = scaling::plan_triggers({trigger}, "", {}, &ignored);
    if (plans.ok()) {
      spec.queries[i] = std::move(plans->front());
    } else {
      fields.take(plans.error().in(kQueryKeys[i]));
    }
  }
  if (fields.text("arrivalsQuery").empty()) fields.fail("arrivalsQuery", "required");
  if (spec.replica_requests_per_s) return;
  for (const Signal needed : {kInputMean, kOutputMean}) {
    if (fields.text(kQueryKeys[needed]).empty()) {
      fields.fail(kQueryKeys[needed], "required without replicaRequestsPerSecond");
    }
  }
}

}  // namespace

Result<DemandSpec> read_demand_spec(const api::StringMap& metadata) {
  Fields fields(metadata);
  DemandSpec spec;
  const std::string model = fields.text("model");
  if (model.empty()) fields.fail("model", "required");
  spec.metric = metric_name(model);
  spec.lead = fields.length("leadTime", minutes(5));
  spec.max = static_cast<int32_t>(fields.number("maxReplicas", 1000, 1, 100'000));
  spec.scale_in_headroom = fields.number("scaleInHeadroom", spec.scale_in_headroom, 0, 10);
  if (!fields.text("replicaRequestsPerSecond").empty()) {
    spec.replica_requests_per_s = fields.number("replicaRequestsPerSecond", 1, 1e-6, 1e9);
  } else if (!model.empty()) {
    read_profile(model, fields, spec);
  }
  read_queries(metadata, fields, spec);
  if (fields.faults().empty()) return spec;
  return Error(join(fields.faults(), "; "));
}

}  // namespace windlass::live::external
