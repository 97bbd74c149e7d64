// Reads inference pods' own /metrics every few seconds (vLLM, Triton, TGI) and makes of them what
// the joint policy decides by: arrivals a period, waiting requests, token lengths. Without a
// Prometheus in between, so that a burst is seen within seconds.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cluster/observations.h"
#include "net/clock.h"
#include "net/http_client.h"

namespace windlass::live::signals {

struct ScrapeTarget {
  std::string pod;  // key; a restarted pod (other address or uid) begins counting anew
  std::string uid;
  std::string url;  // "http://10.0.3.7:8000/metrics"
  // A page that stands for all pods (a router's) has neither pod nor uid.
};

class PodScraper {
 public:
  // `targets` is asked at every round for the model's ready pods.
  PodScraper(net::HttpClient& http, net::Clock& clock, std::string model, Duration period,
             std::function<std::vector<ScrapeTarget>()> targets);
  ~PodScraper();
  // After every round: signals of the last half hour. No pod answered: not called; an answer that
  // can't be read is an error, logged once a pod until it is well again.
  std::function<void(const cluster::ModelSignals&)> on_signals;
  void start();
  void stop();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// One line of Prometheus' text format.
struct ExpositionSample {
  std::string name;
  std::vector<std::pair<std::string, std::string>> labels;
  double value = 0;
};
// A number as Go's ParseFloat reads it, infinities and NaN included ("+Inf", "nan"); a number too
// large for a double is infinite. nullopt: none. Prometheus writes values so in its JSON as well.
std::optional<double> parse_sample_value(std::string_view text);
// The error names the line. OpenMetrics' # EOF, exemplars and timestamps are read over.
Result<std::vector<ExpositionSample>> parse_exposition(std::string_view text);

}  // namespace windlass::live::signals
