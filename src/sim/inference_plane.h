// The models' fleets in the cluster: a Ready pod becomes a server, a pod that must stop is drained,
// a pod that is gone takes its server along. Also the joint policy's direct look at the traffic.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "sim/context.h"
#include "sim/inference/fleet.h"

namespace windlass::sim {

class InferencePlane {
 public:
  // Error: a traffic source can't be opened.
  static Result<InferencePlane> open(Context& context);

  // Set by the world: a drained pod has finished its last request.
  std::function<void(const std::string& pod)> on_drained;

  // Arrivals and iterations up to the context's now. Error: the traffic's (a bad row).
  Status advance(Instant to);
  // So many times the declared requests from now on, on all models.
  void set_traffic_factor(double factor);
  [[nodiscard]] Instant next_drained() const;
  void report_drained();

  // Does nothing for a pod that serves no model of the scenario.
  void pod_ready(const api::Pod& pod);
  // True if it has nothing left to finish.
  bool pod_stops(const std::string& pod);
  void pod_gone(const std::string& pod);

  // Scrapes the traffic for the joint policy: call every kSignalPeriod.
  void observe_signals();
  static constexpr Duration kSignalPeriod = seconds(10);

  struct Server {
    std::string pod;
    std::string node;
    size_t model = 0;
    ServerId id = 0;
    int gpus = 1;
    Instant added{};
    bool draining = false;
  };
  [[nodiscard]] const std::map<std::string, Server>& servers() const { return servers_; }
  [[nodiscard]] ServerStats stats(const Server& server) const;
  [[nodiscard]] const std::vector<Fleet>& fleets() const { return fleets_; }
  // GPU time in iterations so far, of servers gone and present.
  [[nodiscard]] double busy_gpu_seconds() const;
  // Of a model, in the scenario's order, with those before a restart.
  [[nodiscard]] FleetTotals totals(size_t model) const;
  // For a restart (inference_saved.cc).
  [[nodiscard]] Json save_totals() const;
  Status read_totals(const Json& totals);
  // Completions since the last call, all models together.
  Window take_window();

 private:
  explicit InferencePlane(Context& context) : context_(context) {}

  // Arrivals of the last half hour by signal periods, and moments of the lengths.
  struct Traffic {
    std::deque<double> arrivals;
    double arrived = 0, input_sum = 0, input_squares = 0;
    double completed = 0, output_sum = 0, output_squares = 0;
  };

  std::reference_wrapper<Context> context_;
  std::vector<Fleet> fleets_;         // one a model, in the scenario's order
  std::vector<FleetTotals> carried_;  // of the same models, before a restart
  std::vector<Traffic> traffic_;
  std::map<std::string, Server> servers_;  // by pod
  double busy_gpu_seconds_gone_ = 0;
  Window window_;
};

}  // namespace windlass::sim
