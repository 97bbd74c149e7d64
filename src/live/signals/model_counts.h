// What an inference server's /metrics says about its requests, in one form for vLLM, Triton and TGI
// (names: reference gpu_inference.md 4), and the sums over a model's pods that the joint policy
// decides by. Pure; the pod scraper feeds it.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "cluster/observations.h"
#include "live/signals/histogram.h"
#include "live/signals/pod_scraper.h"

namespace windlass::live::signals {

// One pod's counters and gauges at one moment.
struct PodReading {
  double arrived = 0;       // requests, since the server's start: ended and in flight, or taken in
  double started = 0;       // a counter that only a restart lets fall: shows restarts
  double in_flight = 0;     // of `arrived`, those not ended
  double waiting = 0;       // not yet in a batch
  Histogram input, output;  // tokens a request; empty where the server has no such histogram
};

// Of the series with the label model_name (or model) equal to `model` where there are any, else of
// all: a server is often asked for under another name than the one it is known by here. Error: none
// of the three servers' metrics is there.
Result<PodReading> read_pod(const std::vector<ExpositionSample>& samples, std::string_view model);

// The arrivals of one model's pods over rounds of equal length.
class ModelCounts {
 public:
  explicit ModelCounts(Duration period) : period_(period) {}

  // A round begins; pods that are not in it any more are forgotten by end_round().
  void begin_round();
  // `pod` identifies a server's life: another one under the same name has another. Its first
  // reading is where counting begins: what it served before is not of this time. What came while it
  // could not be read is spread over the rounds that were missed.
  void add(const std::string& pod, const PodReading& reading);
  // The pod is there, but could not be read.
  void missed(const std::string& pod);
  // The signals at `now`; arrivals since the first reading, of at most the last half hour.
  cluster::ModelSignals end_round(Instant now);

 private:
  struct Pod {
    PodReading last;
    size_t round = 0;       // of `last`
    size_t seen_round = 0;  // it was there
  };
  void spread(double arrivals, size_t rounds);

  Duration period_;
  size_t round_ = 0;
  bool ever_read_ = false;  // before that no round is history
  std::map<std::string, Pod> pods_;
  std::deque<double> arrivals_;             // the newest is this round's
  Histogram recent_input_, recent_output_;  // older observations count less
};

}  // namespace windlass::live::signals
