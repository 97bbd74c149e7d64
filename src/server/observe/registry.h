// Counters, gauges and histograms with labels. Our own, because what is needed is a hundred lines
// and prometheus-cpp would be a dependency with threads, locks and a server of its own; here one
// thread counts and writes, and the order of the output is fixed. Series are never forgotten unless
// cleared, so labels must come from small sets.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/observe/text_format.h"

namespace windlass::server::observe {

class Family;

// One series of a counter, gauge or histogram.
class Metric {
 public:
  void add(double amount = 1) { value_ += amount; }
  void set(double value) { value_ = value; }
  void observe(double value);  // histograms
  [[nodiscard]] double value() const { return value_; }
  [[nodiscard]] uint64_t count() const { return count_; }

 private:
  friend class Family;
  const Family* family_ = nullptr;
  double value_ = 0;  // of a histogram: the sum
  uint64_t count_ = 0;
  std::vector<uint64_t> buckets_;
};

class Family {
 public:
  // The series with these values of the family's labels, in their order; made at first use.
  // References stay valid until clear().
  Metric& with(const std::vector<std::string>& values);
  Metric& get() { return with({}); }  // without labels
  // For gauges that are set anew at every collection.
  void clear() { series_.clear(); }
  // For as many series as there are pods: told anew whenever they are written, and kept nowhere.
  using Row = std::function<void(const std::vector<std::string_view>& values, double value)>;
  void tell_by(std::function<void(const Row&)> rows) { rows_ = std::move(rows); }

 private:
  friend class Registry;
  friend class Metric;
  enum class Type { kCounter, kGauge, kHistogram };
  void write(TextWriter& writer) const;
  void write_rows(TextWriter& writer) const;

  Type type_ = Type::kGauge;
  std::string name_, help_;
  std::vector<std::string> labels_;
  std::vector<double> bounds_;
  std::map<std::vector<std::string>, Metric> series_;
  std::function<void(const Row&)> rows_;
};

class Registry {
 public:
  // Asking again for a name gives the same family. Counters are named *_total.
  Family& counter(std::string name, std::string help, std::vector<std::string> labels = {});
  Family& gauge(std::string name, std::string help, std::vector<std::string> labels = {});
  Family& histogram(std::string name, std::string help, std::vector<double> bounds,
                    std::vector<std::string> labels = {});
  // By name. Families without series are left out.
  [[nodiscard]] std::string text(TextFormat format) const;

 private:
  Family& family(Family::Type type, std::string name, std::string help,
                 std::vector<std::string> labels, std::vector<double> bounds);
  std::map<std::string, std::unique_ptr<Family>> families_;
};

}  // namespace windlass::server::observe
