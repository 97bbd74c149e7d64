#include "server/observe/registry.h"

#include <algorithm>
#include <utility>

#include "base/assert.h"

namespace windlass::server::observe {

void Metric::observe(double value) {
  WL_ASSERT(family_ != nullptr);
  value_ += value;
  ++count_;
  // Buckets hold their own share and are summed up when written.
  const auto at = std::ranges::lower_bound(family_->bounds_, value);
  ++buckets_[static_cast<size_t>(at - family_->bounds_.begin())];
}

Metric& Family::with(const std::vector<std::string>& values) {
  WL_ASSERT(values.size() == labels_.size());
  const auto [at, added] = series_.try_emplace(values);
  if (added) {
    at->second.family_ = this;
    at->second.buckets_.resize(type_ == Type::kHistogram ? bounds_.size() + 1 : 0);
  }
  return at->second;
}

namespace {
constexpr std::string_view kTypes[] = {"counter", "gauge", "histogram"};
}  // namespace

void Family::write_rows(TextWriter& writer) const {
  LabelViews labels;
  for (const std::string& label : labels_) labels.emplace_back(label, "");
  bool first = true;
  rows_([&](const std::vector<std::string_view>& values, double value) {
    WL_ASSERT(values.size() == labels.size());
    if (std::exchange(first, false)) {
      writer.family(name_, kTypes[static_cast<size_t>(type_)], help_);
    }
    for (size_t i = 0; i < values.size(); ++i) labels[i].second = values[i];
    writer.sample(name_, labels, value);
  });
}

void Family::write(TextWriter& writer) const {
  if (rows_) return write_rows(writer);
  if (series_.empty()) return;
  writer.family(name_, kTypes[static_cast<size_t>(type_)], help_);
  for (const auto& [values, metric] : series_) {
    LabelViews labels;
    for (size_t i = 0; i < labels_.size(); ++i) labels.emplace_back(labels_[i], values[i]);
    if (type_ != Type::kHistogram) {
      writer.sample(name_, labels, metric.value_);
      continue;
    }
    uint64_t below = 0;
    for (size_t i = 0; i <= bounds_.size(); ++i) {
      below += metric.buckets_[i];
      const std::string bound = i < bounds_.size() ? format_text(bounds_[i]) : "+Inf";
      labels.emplace_back("le", bound);
      writer.sample(name_ + "_bucket", labels, static_cast<double>(below));
      labels.pop_back();
    }
    writer.sample(name_ + "_sum", labels, metric.value_);
    writer.sample(name_ + "_count", labels, static_cast<double>(metric.count_));
  }
}

Family& Registry::family(Family::Type type, std::string name, std::string help,
                         std::vector<std::string> labels, std::vector<double> bounds) {
  std::unique_ptr<Family>& family = families_[name];
  if (family == nullptr) {
    WL_ASSERT(std::ranges::is_sorted(bounds));
    family = std::make_unique<Family>();
    family->type_ = type;
    family->name_ = std::move(name);
    family->help_ = std::move(help);
    family->labels_ = std::move(labels);
    family->bounds_ = std::move(bounds);
  }
  WL_ASSERT(family->type_ == type);
  return *family;
}

Family& Registry::counter(std::string name, std::string help, std::vector<std::string> labels) {
  return family(Family::Type::kCounter, std::move(name), std::move(help), std::move(labels), {});
}

Family& Registry::gauge(std::string name, std::string help, std::vector<std::string> labels) {
  return family(Family::Type::kGauge, std::move(name), std::move(help), std::move(labels), {});
}

Family& Registry::histogram(std::string name, std::string help, std::vector<double> bounds,
                            std::vector<std::string> labels) {
  return family(Family::Type::kHistogram, std::move(name), std::move(help), std::move(labels),
                std::move(bounds));
}

std::string Registry::text(TextFormat format) const {
  TextWriter writer(format);
  for (const auto& [name, family] : families_) family->write(writer);
  return writer.finish();
}

}  // namespace windlass::server::observe
