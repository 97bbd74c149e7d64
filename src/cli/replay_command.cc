#include "cli/replay_command.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/plan_input.h"
#include "cli/progress.h"
#include "cli/replay_history.h"
#include "cli/replay_reader.h"
#include "cli/replay_scenario.h"
#include "cli/simulate_command.h"

namespace windlass::cli {
namespace {

namespace fs = std::filesystem;

// An interrupted replay is gone on with for so long; then its "now" is another.
constexpr int64_t kResumable = 24 * 3600;
constexpr int64_t kSmallestStep = 5;

int64_t now_second() {
  return std::chrono::duration_cast<std::chrono::seconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

int bad_input(const Error& error) {
  std::cerr << "error: " << error.message() << "\n";
  return 2;
}

// ---- what the options say -----------------------------------------------------------------------

struct Request {
  PrometheusAccess access;
  int64_t step = 60;
  int64_t last = 0;
  std::optional<int64_t> until;
  std::vector<ModelQuery> rates, inputs, outputs;
};

Result<std::pair<std::string, std::string>> split_pair(const std::string& option,
                                                       const std::string& text) {
  const size_t equals = text.find('=');
  if (equals == text.npos || equals == 0 || equals + 1 == text.size()) {
    return Error(fmt::format("{}: not NAME=VALUE: the text has no = between two parts", option));
  }
  return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

// A query may have a = of its own, a model's name may not.
Result<std::vector<ModelQuery>> model_queries(const std::string& option,
                                              const std::vector<std::string>& texts) {
  std::vector<ModelQuery> out;
  for (const std::string& text : texts) {
    auto pair = split_pair(option, text);
    if (!pair.ok()) return pair.error();
    out.push_back({pair->first, pair->second});
  }
  return out;
}

Result<PrometheusAccess> read_access(const ReplayOptions& options) {
  PrometheusAccess access;
  access.url = options.prometheus;
  if (!access.url.starts_with("http://") && !access.url.starts_with("https://")) {
    return Error(
        fmt::format("--prometheus: \"{}\": accepted is http://HOST:PORT or https://HOST, "
                    "with a path where there is one",
                    access.url));
  }
  for (const std::string& header : options.headers) {
    auto pair = split_pair("--header", header);
    if (!pair.ok()) return pair.error();
    access.headers.push_back(*std::move(pair));
  }
  if (!options.bearer_token_file.empty()) {
    const auto token = read_file(options.bearer_token_file);
    if (!token.ok()) return token.error().in("--bearer-token-file");
    const std::string_view trimmed = trim(*token);
    if (trimmed.empty() || trimmed.find_first_of("\r\n") != trimmed.npos) {
      return Error(fmt::format("{}: holds no token on one line", options.bearer_token_file));
    }
    access.headers.emplace_back("Authorization", fmt::format("Bearer {}", trimmed));
  }
  if (!options.ca_file.empty() || options.insecure) {
    auto tls = std::make_shared<net::TlsOptions>();
    tls->skip_verify = options.insecure;
    if (!options.ca_file.empty()) {
      auto ca = read_file(options.ca_file);
      if (!ca.ok()) return ca.error().in("--ca-file");
      tls->ca = *std::move(ca);
    }
    access.tls = std::move(tls);
  }
  return access;
}

Result<Request> read_request(const ReplayOptions& options) {
  Request out;
  auto access = read_access(options);
  if (!access.ok()) return access.error();
  out.access = *std::move(access);
  const auto last = parse_long_duration(options.last);
  if (!last.ok()) return last.error().in("--last");
  const auto step = parse_long_duration(options.step);
  if (!step.ok()) return step.error().in("--step");
  out.last = last->ns / seconds(1).ns;
  out.step = step->ns / seconds(1).ns;
  if (out.step < kSmallestStep || out.step > out.last) {
    return Error(fmt::format("--step: {}: accepted is 5s to the length of --last", options.step));
  }
  if (!options.until.empty()) {
    const auto until = parse_rfc3339(options.until);
    if (!until.ok()) return until.error().in("--until");
    out.until = until->ns / seconds(1).ns;
  }
  const std::pair<const char*, std::pair<const std::vector<std::string>*, std::vector<ModelQuery>*>>
      queries[] = {{"--rate-query", {&options.rate_queries, &out.rates}},
                   {"--tokens-in-query", {&options.input_queries, &out.inputs}},
                   {"--tokens-out-query", {&options.output_queries, &out.outputs}}};
  for (const auto& [option, from_to] : queries) {
    auto read = model_queries(option, *from_to.first);
    if (!read.ok()) return read.error();
    *from_to.second = *std::move(read);
  }
  return out;
}

// ---- where answers are kept ---------------------------------------------------------------------

// By who is asked, as whom (a gateway tells tenants apart by a header). Tokens come and go; the
// hash of what they open doesn't.
Result<std::string> cache_directory(const ReplayOptions& options) {
  if (!options.cache.empty()) return options.cache;
  Hash64 hash;
  hash.add(options.prometheus);
  for (const std::string& header : options.headers) hash.add(header);
  fs::path base;
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache != '\0') {
    base = cache;
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    base = fs::path(home) / ".cache";
  } else {
    return Error("--cache: neither XDG_CACHE_HOME nor HOME says where answers can be kept");
  }
  return (base / "windlass" / "replay" / hash.hex()).string();
}

// The end of an interrupted replay of the same length, so that the next one asks for the same.
class Unfinished {
 public:
  Unfinished(const std::string& cache, const Request& request)
      : path_(fs::path(cache) / fmt::format("unfinished-{}-{}", request.last, request.step)) {}

  [[nodiscard]] std::optional<int64_t> end(int64_t now) const {
    std::ifstream file(path_);
    int64_t end = 0;
    if (!(file >> end) || end > now || now - end > kResumable) return std::nullopt;
    return end;
  }
  void begin(int64_t end) const { std::ofstream(path_) << end << "\n"; }
  void finish() const {
    std::error_code error;
    fs::remove(path_, error);
  }

 private:
  fs::path path_;
};

// ---- reading ------------------------------------------------------------------------------------

// Three scrapes: one may be missing, and rate() still has two samples.
int64_t rate_window_of(const std::vector<RangeSeries>& counts, int64_t step) {
  double most = 0;
  for (const RangeSeries& series : counts) {
    for (const auto& [at, value] : series.points) most = std::max(most, value);
  }
  if (most < 1) return std::max<int64_t>(step, 300);
  const double interval = 3600 / most;
  return std::max(step, static_cast<int64_t>(interval * 3 + 0.999));
}

std::set<std::string> models_of(const std::vector<ModelQuery>& queries) {
  std::set<std::string> out;
  for (const ModelQuery& query : queries) out.insert(query.model);
  return out;
}

// On the grid of `step`, and not shorter than asked.
RangeWindow on_grid(const RangeWindow& span, int64_t step) {
  return {span.from - span.from % step, span.to, step};
}

class Reading {
 public:
  Reading(PrometheusReader& reader, const Request& request, RangeWindow span, bool quiet)
      : reader_(reader),
        request_(request),
        span_(span),
        progress_({"Prometheus"}, !quiet, {"reading", "read"}) {}

  // `deployments` empty: the traffic alone.
  Result<ReplayHistory> read(const std::vector<std::string>& deployments) {
    const ReplayQuery scrapes = scrape_query();
    const int64_t hour = scrapes.step;
    // Whole hours up to the last one's end: the grid of this one query.
    RangeWindow hours = on_grid(span_, hour);
    hours.to = span_.to + (hour - span_.to % hour) % hour;
    auto counts = reader_.read(scrapes.name, scrapes.query, hours);
    if (!counts.ok()) return done(counts.error());
    const int64_t window = rate_window_of(*counts, request_.step);
    std::vector<ReplayQuery> queries = replay_queries(
        {request_.step, window, request_.rates, request_.inputs, request_.outputs, deployments});
    if (deployments.empty()) {
      std::erase_if(queries, [](const ReplayQuery& q) { return q.topic != ReplayTopic::kRate; });
    }
    size_t all = 0;
    for (const ReplayQuery& query : queries) {
      all += windows_of(on_grid(span_, query.step)).size();
    }
    size_t begun = 0;
    reader_.on_window = [&] {
      progress_.update(0, static_cast<double>(begun++) / static_cast<double>(all));
    };
    HistoryBuilder builder(span_, window, models_of(request_.rates), models_of(request_.inputs),
                           models_of(request_.outputs));
    std::vector<std::string> unanswered;
    for (const ReplayQuery& query : queries) {
      const auto answer = reader_.read(query.name, query.query, on_grid(span_, query.step));
      if (answer.ok()) {
        builder.add(query, *answer);
      } else if (query.topic != ReplayTopic::kRate && reader_.query_refused()) {
        // Everything but the traffic can be assumed.
        unanswered.push_back(answer.error().message());
      } else {
        return done(answer.error());
      }
    }
    progress_.update(0, 1);
    progress_.finish();
    reader_.on_window = nullptr;
    ReplayHistory history = builder.finish();
    history.unanswered = std::move(unanswered);
    return history;
  }

 private:
  Error done(const Error& error) {
    progress_.finish();
    reader_.on_window = nullptr;
    return error;
  }

  PrometheusReader& reader_;
  const Request& request_;
  RangeWindow span_;
  Progress progress_;
};

// ---- answers to what can't go on ----------------------------------------------------------------

// Names are labels of other people's series.
std::string shown(const std::string& name) {
  return Json(name).dump(-1, ' ', true, Json::error_handler_t::replace);
}

int ask_for_models(const ReplayHistory& history, const std::string& why) {
  std::string text = "error: " + why + "\n\nmodels found in Prometheus:\n";
  for (const auto& [name, model] : history.models) {
    text += fmt::format("  {}   {:.0f} requests\n", shown(name), model.requests);
  }
  text +=
      "\nGive their Deployments, cards and latency targets by --models FILE, as the section models "
      "of\na scenario has them (docs/reference/scenario.md), without traffic:\n\n"
      "  models:\n"
      "    - name: " +
      (history.models.empty() ? "NAME" : shown(history.models.begin()->first)) +
      "\n      deployment: NAMESPACE/NAME\n"
      "      card: {parameters: 8.03e9, kvBytesPerToken: 131072}\n"
      "      sloP95: 20s\n";
  std::cerr << text;
  return 2;
}

bool any_requests(const ReplayHistory& history) {
  return std::ranges::any_of(history.models,
                             [](const auto& entry) { return entry.second.requests >= 1; });
}

int no_requests(const ReplayHistory& history) {
  std::cerr << fmt::format(
      "error: no requests were recorded from {} on: looked for vLLM's "
      "vllm:request_success_total, Triton's nv_inference_request_success and TGI's "
      "tgi_request_count. Other servers' requests are found by --rate-query MODEL=PROMQL.\n",
      to_rfc3339(Instant{history.span.from * 1'000'000'000}));
  return 1;
}

int reading_failed(const PrometheusReader& reader, const Error& error, const std::string& cache) {
  if (reader.stopped()) {
    std::cerr << "stopped; what was read is kept in " << cache
              << ", the same command goes on from there\n";
    return 130;
  }
  std::cerr << "error: " << error.message() << "\n";
  return 1;
}

// ---- the whole ----------------------------------------------------------------------------------

struct Plan {
  Request request;
  std::optional<ModelsFile> models;
  std::vector<std::string> manifests;
  std::string cache;
};

Result<Plan> plan_of(const ReplayOptions& options) {
  Plan plan;
  auto request = read_request(options);
  if (!request.ok()) return request.error();
  plan.request = *std::move(request);
  if (!options.models.empty()) {
    auto models = read_models_file(options.models);
    if (!models.ok()) return models.error().in("--models");
    plan.models = *std::move(models);
  }
  std::vector<std::string> paths = options.files;
  if (paths.empty() && plan.models) paths = plan.models->manifests;
  if (paths.empty() && plan.models) return Error("-f: manifests are needed");
  auto manifests = manifest_files(paths);
  if (!manifests.ok()) return manifests.error();
  plan.manifests = *std::move(manifests);
  auto cache = cache_directory(options);
  if (!cache.ok()) return cache.error();
  plan.cache = *std::move(cache);
  // Hours of reading that can't be kept are better refused at once.
  std::error_code error;
  fs::create_directories(plan.cache, error);
  if (error) return Error(fmt::format("--cache: can't make {}: {}", plan.cache, error.message()));
  fs::permissions(plan.cache, fs::perms::owner_all, error);
  return plan;
}

int simulate_history(const ReplayOptions& options, const Plan& plan, const ReplayHistory& history) {
  const std::string directory = options.save_scenario.empty()
                                    ? (fs::path(plan.cache) / "scenario").string()
                                    : options.save_scenario;
  const auto written =
      write_scenario(directory, {shown_url(plan.request.access.url), &history, &*plan.models,
                                 plan.manifests, options.policies, options.seed});
  if (!written.ok()) return bad_input(written.error());
  SimulateOptions simulate;
  simulate.scenario = written->path;
  simulate.output = options.output;
  simulate.report = options.report;
  simulate.decisions = options.decisions;
  simulate.quiet = options.quiet;
  auto scenario = load_scenario(simulate);
  if (!scenario) return 2;
  std::vector<std::string> notes;
  for (const std::string& text : written->found) notes.push_back("found: " + text);
  for (const std::string& text : written->assumed) notes.push_back("assumed: " + text);
  scenario->notes.insert(scenario->notes.begin(), notes.begin(), notes.end());
  const int exit_code = simulate_scenario(*scenario, simulate);
  if (!options.save_scenario.empty() && options.output != "json") {
    std::cout << "\nscenario: " << written->path << "\n";
  }
  return exit_code;
}

}  // namespace

int run_replay(const ReplayOptions& options) {
  const auto plan = plan_of(options);
  if (!plan.ok()) return bad_input(plan.error());
  const Request& request = plan->request;
  const Unfinished unfinished(plan->cache, request);
  const int64_t now = now_second();
  int64_t end = request.until.value_or(now);
  std::optional<ReplayHistory> history;
  {
    // Handles Ctrl-C while it lives.
    PrometheusReader reader(request.access, plan->cache);
    if (!request.until) {
      if (const auto before = unfinished.end(now)) {
        end = *before;
        if (!options.quiet) {
          std::cerr << fmt::format("going on with the replay up to {}\n",
                                   to_rfc3339(Instant{end * 1'000'000'000}));
        }
      }
    }
    end -= end % request.step;
    if (!request.until) unfinished.begin(end);
    const int64_t from = end - request.last / request.step * request.step;
    Reading reading(reader, request, {from, end, request.step}, options.quiet);
    auto read = reading.read(plan->models ? plan->models->deployments : std::vector<std::string>{});
    if (!read.ok()) return reading_failed(reader, read.error(), plan->cache);
    if (!options.quiet) {
      std::cerr << fmt::format("{} queries asked, {} answers were kept from before\n",
                               reader.asked(), reader.reused());
    }
    history = *std::move(read);
  }
  unfinished.finish();
  if (!any_requests(*history)) return no_requests(*history);
  if (!plan->models) return ask_for_models(*history, "--models: which models are these?");
  const bool known = std::ranges::any_of(plan->models->names, [&](const std::string& name) {
    const auto it = history->models.find(name);
    return it != history->models.end() && it->second.requests >= 1;
  });
  if (!known) {
    return ask_for_models(*history, "--models: none of its models has requests in Prometheus");
  }
  return simulate_history(options, *plan, *history);
}

}  // namespace windlass::cli
