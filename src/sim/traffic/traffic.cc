#include "sim/traffic/traffic.h"

#include <cmath>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "sim/traffic/generator.h"
#include "sim/traffic/trace_source.h"

namespace windlass::sim {
namespace {

// Bounds what one row of a trace can be multiplied to, and with it the memory of its copies.
constexpr double kGreatestFactor = 1000;

bool within(double value, double low, double high) { return value >= low && value <= high; }

Error refuse(std::string_view field, double found, std::string_view accepted) {
  return Error(fmt::format("traffic: {}: {}: accepted is {}", field, found, accepted));
}

Status check_shape(const DayShape& shape) {
  double previous_hour = 0;
  for (const DayShape::Point& point : shape.points) {
    if (!within(point.hour, 0, 24)) return refuse("shape: hour", point.hour, "0 to 24");
    if (point.hour < previous_hour) {
      return refuse("shape: hour", point.hour, "an hour not before that of the point above");
    }
    if (!within(point.factor, 0, kGreatestFactor)) {
      return refuse("shape: factor", point.factor, "0 to 1000");
    }
    previous_hour = point.hour;
  }
  return {};
}

Status check_trace(const TraceSpec& spec) {
  if (!(spec.rate_scale > 0 && spec.rate_scale <= kGreatestFactor)) {
    return refuse("rate_scale", spec.rate_scale, "above 0, up to 1000");
  }
  if (!(spec.time_scale > 0 && spec.time_scale <= 1e6)) {
    return refuse("time_scale", spec.time_scale, "above 0, up to 1e6");
  }
  return {};
}

Status check_lengths(std::string_view which, const LengthSpec& spec) {
  const auto field = [which](std::string_view name) { return fmt::format("{}: {}", which, name); };
  if (!within(spec.median, 1, 1e9)) return refuse(field("median"), spec.median, "1 to 1e9");
  if (!within(spec.p95, spec.median, 1e9)) {
    return refuse(field("p95"), spec.p95, "the median to 1e9");
  }
  if (spec.min < 1) return refuse(field("min"), spec.min, "1 or more");
  if (spec.max < spec.min) return refuse(field("max"), spec.max, "min or more");
  return {};
}

Status check_generator(const GeneratorSpec& spec) {
  if (!within(spec.requests_per_s, 0, 1e8)) {
    return refuse("requests_per_s", spec.requests_per_s, "0 to 1e8");
  }
  if (!within(spec.bursts_per_h, 0, 1e6)) {
    return refuse("bursts_per_h", spec.bursts_per_h, "0 to 1e6");
  }
  if (!within(spec.burst_factor, 0, kGreatestFactor)) {
    return refuse("burst_factor", spec.burst_factor, "0 to 1000");
  }
  if (spec.burst_length < Duration{} || spec.burst_length > hours(24 * 366)) {
    return refuse("burst_length", spec.burst_length.seconds(), "0 s to a year");
  }
  if (Status status = check_lengths("input", spec.input); !status) return status;
  return check_lengths("output", spec.output);
}

}  // namespace

struct Traffic::Impl {
  std::variant<TraceSource, Generator> source;
  uint64_t next_id = 0;
  std::optional<Error> error;
};

Traffic::Traffic(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Traffic::Traffic(Traffic&&) noexcept = default;
Traffic& Traffic::operator=(Traffic&&) noexcept = default;
Traffic::~Traffic() = default;

Result<Traffic> Traffic::open(const TrafficSpec& spec, uint64_t seed, Instant start,
                              Duration length) {
  if (spec.trace.has_value() == spec.generator.has_value()) {
    return Error(fmt::format("traffic: {}: accepted is exactly one of trace and generator",
                             spec.trace.has_value() ? "both a trace and a generator"
                                                    : "neither a trace nor a generator"));
  }
  if (Status status = check_shape(spec.shape); !status) return status.error();
  if (spec.generator) {
    if (Status status = check_generator(*spec.generator); !status) return status.error();
    return Traffic(std::make_unique<Impl>(
        Impl{Generator(*spec.generator, spec.shape, seed, start, length), 0, {}}));
  }
  if (Status status = check_trace(*spec.trace); !status) return status.error();
  Result<TraceReader> reader = TraceReader::open(spec.trace->path);
  if (!reader) return reader.error();
  Result<TraceSource> source =
      TraceSource::open(std::move(reader).value(), *spec.trace, spec.shape, seed, start, length);
  if (!source) return source.error();
  return Traffic(std::make_unique<Impl>(Impl{std::move(source).value(), 0, {}}));
}

std::optional<Request> Traffic::next() {
  Request request;
  bool more = false;
  if (auto* trace = std::get_if<TraceSource>(&impl_->source)) {
    more = trace->next(request);
    if (!more) impl_->error = trace->error();
  } else {
    more = std::get<Generator>(impl_->source).next(request);
  }
  if (!more) return std::nullopt;
  request.id = impl_->next_id++;
  return request;
}

const std::optional<Error>& Traffic::error() const { return impl_->error; }

}  // namespace windlass::sim
