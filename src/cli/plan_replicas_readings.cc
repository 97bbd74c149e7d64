#include "cli/plan_replicas_readings.h"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"

namespace windlass::cli {
namespace {

// Where steps are counted from when the file names no start: a Monday, midnight UTC.
constexpr Instant kStart{1'767'571'200'000'000'000};

// One file's reading stops at the first thing wrong, which `error` then names.
class File {
 public:
  explicit File(std::string_view name) : name_(name) {}

  Result<ReadingsFile> read(const Json& root) {
    check_keys(root, "", {"start", "replicas", "requests", "steps"});
    Instant start = kStart;
    if (const Json* given = find(root, "start")) {
      const auto parsed = parse_rfc3339(text_of(*given, "start"));
      if (!parsed.ok()) fail("start", parsed.error().message());
      if (parsed.ok()) start = *parsed;
    }
    out_.replicas = count32(root, "", "replicas");
    if (const Json* requests = find(root, "requests");
        requests != nullptr && is_map(*requests, "requests")) {
      for (const auto& [resource, amount] : requests->items()) {
        const std::string place = "requests." + resource;
        if (const auto quantity = quantity_of(amount, place)) out_.requests[resource] = *quantity;
      }
    }
    const Json* steps = find(root, "steps");
    if (steps == nullptr || !steps->is_array() || steps->empty()) {
      fail("steps", "is missing or empty (accepted: a list of steps)");
    }
    for (size_t i = 0; error_.empty() && i < steps->size(); ++i) {
      read_step((*steps)[i], fmt::format("steps[{}]", i), start);
    }
    if (!error_.empty()) return Error(error_);
    return std::move(out_);
  }

 private:
  void fail(std::string_view place, std::string_view what) {
    if (error_.empty()) error_ = fmt::format("{}: {}: {}", name_, place, what);
  }
  static const Json* find(const Json& object, const char* key) {
    const auto it = object.find(key);
    return it == object.end() ? nullptr : &*it;
  }
  bool is_map(const Json& value, const std::string& place) {
    if (value.is_object()) return true;
    fail(place, fmt::format("found {} (accepted: a map)", value.dump().substr(0, 60)));
    return false;
  }
  void check_keys(const Json& object, const std::string& place,
                  const std::vector<std::string_view>& accepted) {
    if (!is_map(object, place.empty() ? "the file" : place)) return;
    for (const auto& [key, value] : object.items()) {
      if (std::ranges::find(accepted, key) != accepted.end()) continue;
      fail(place.empty() ? key : place + "." + key,
           fmt::format("no such field (accepted: {})", fmt::join(accepted, ", ")));
    }
  }
  // Numbers and times may be written without quotes.
  static std::string text_of(const Json& value, std::string_view) {
    return value.is_string() ? value.get<std::string>() : value.dump();
  }
  std::optional<int64_t> count(const Json& object, const std::string& place, const char* key) {
    const Json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    const bool good = value->is_number_integer() && value->get<double>() >= 0 &&
                      value->get<double>() <= 2'147'483'647;
    if (good) return value->get<int64_t>();
    fail(
        place.empty() ? key : place + "." + key,
        fmt::format("found {} (accepted: a whole number, 0 or more)", value->dump().substr(0, 60)));
    return std::nullopt;
  }
  std::optional<int32_t> count32(const Json& object, const std::string& place, const char* key) {
    const auto value = count(object, place, key);
    return value ? std::optional(static_cast<int32_t>(*value)) : std::nullopt;
  }
  std::optional<bool> flag(const Json& object, const std::string& place, const char* key) {
    const Json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    if (value->is_boolean()) return value->get<bool>();
    fail(place + "." + key,
         fmt::format("found {} (accepted: true, false)", value->dump().substr(0, 60)));
    return std::nullopt;
  }
  std::optional<Duration> duration(const Json& object, const std::string& place, const char* key) {
    const Json* value = find(object, key);
    if (value == nullptr) return std::nullopt;
    // A year: beyond that a step's syncs would be counted for ever.
    const auto parsed =
        value->is_number() && value->get<double>() >= 0 && value->get<double>() < 3e7
            ? Result<Duration>(from_seconds(value->get<double>()))
            : parse_duration(text_of(*value, place));
    if (parsed.ok() && *parsed >= Duration{} && *parsed <= hours(24 * 366)) return *parsed;
    fail(place + "." + key, fmt::format("found {} (accepted: a duration up to a year, like 90s, or "
                                        "seconds)",
                                        value->dump().substr(0, 60)));
    return std::nullopt;
  }
  std::optional<Quantity> quantity_of(const Json& value, const std::string& place) {
    const auto parsed = value.is_number() || value.is_string()
                            ? Quantity::parse(text_of(value, place))
                            : Result<Quantity>(Error(""));
    if (parsed.ok()) return *parsed;
    fail(place,
         fmt::format("found {} (accepted: a number or quantity)", value.dump().substr(0, 60)));
    return std::nullopt;
  }

  // A number, a list (an item or pod each, null for none), null, or a map with more to say.
  GivenReading reading(const Json& value, const std::string& place) {
    GivenReading out;
    if (value.is_null()) {
      out.nothing = true;
    } else if (value.is_array()) {
      for (size_t i = 0; i < value.size(); ++i) {
        out.values.push_back(value[i].is_null()
                                 ? std::nullopt
                                 : quantity_of(value[i], fmt::format("{}[{}]", place, i)));
      }
    } else if (value.is_object()) {
      check_keys(value, place, {"value", "error", "age", "active", "target"});
      if (const Json* given = find(value, "value"); given != nullptr && !given->is_object()) {
        out = reading(*given, place + ".value");
      }
      if (const Json* error = find(value, "error")) {
        out.error = text_of(*error, place);
        if (out.error.empty()) out.error = "error";
      } else if (find(value, "value") == nullptr) {
        fail(place, "has neither value nor error");
      }
      out.age = duration(value, place, "age");
      out.active = flag(value, place, "active");
      if (const Json* target = find(value, "target")) {
        out.target = quantity_of(*target, place + ".target");
      }
    } else if (const auto quantity = quantity_of(value, place)) {
      out.values.push_back(quantity);
    }
    return out;
  }

  void read_pod(const Json& json, const std::string& place, Instant now, GivenPods& out) {
    check_keys(json, place, {"phase", "ready", "age", "readySince", "deleted", "gpu", "count"});
    if (!error_.empty()) return;
    scaling::HpaPod pod;
    const std::string phase = json.value("phase", Json("Running")).dump();
    if (phase == "\"Pending\"") {
      pod.phase = api::PodPhase::kPending;
    } else if (phase == "\"Failed\"") {
      pod.phase = api::PodPhase::kFailed;
    } else if (phase == "\"Succeeded\"") {
      pod.phase = api::PodPhase::kSucceeded;
    } else if (phase != "\"Running\"") {
      fail(place + ".phase", "accepted: Pending, Running, Succeeded, Failed");
    }
    pod.deleted = flag(json, place, "deleted").value_or(false);
    pod.ready = flag(json, place, "ready").value_or(pod.phase == api::PodPhase::kRunning);
    const Duration age = duration(json, place, "age").value_or(hours(1));
    pod.started = now - age;
    pod.ready_changed = now - duration(json, place, "readySince").value_or(age);
    const std::string gpu = json.contains("gpu") ? text_of(json["gpu"], place) : std::string();
    const int64_t count_given = count(json, place, "count").value_or(1);
    add_pods(pod, gpu, count_given, place, out);
  }

  void add_pods(const scaling::HpaPod& pod, const std::string& gpu, int64_t many,
                const std::string& place, GivenPods& out) {
    constexpr int64_t kMost = 100'000;
    if (many + static_cast<int64_t>(out.pods.size()) > kMost) {
      return fail(place, fmt::format("more than {} pods", kMost));
    }
    out.pods.insert(out.pods.end(), static_cast<size_t>(many), pod);
    out.gpus.insert(out.gpus.end(), static_cast<size_t>(many), gpu);
  }

  void read_pods(const Json& json, const std::string& place, Instant now, GivenPods& out) {
    if (json.is_array()) {
      for (size_t i = 0; i < json.size(); ++i) {
        read_pod(json[i], fmt::format("{}[{}]", place, i), now, out);
      }
      return;
    }
    check_keys(json, place, {"ready", "unready", "pending"});
    if (!error_.empty()) return;
    scaling::HpaPod pod;
    pod.started = pod.ready_changed = now - hours(1);
    add_pods(pod, "", count(json, place, "ready").value_or(0), place, out);
    pod.ready = false;
    add_pods(pod, "", count(json, place, "unready").value_or(0), place, out);
    pod.phase = api::PodPhase::kPending;
    add_pods(pod, "", count(json, place, "pending").value_or(0), place, out);
  }

  void read_step(const Json& json, const std::string& place, Instant start) {
    check_keys(json, place, {"time", "hold", "readings", "replicas", "pods", "jobs"});
    if (!error_.empty()) return;
    ReadingsStep step;
    step.place = fmt::format("{}: {}", name_, place);
    step.at = start;
    if (const Json* time = find(json, "time")) {
      const auto moment = time->is_string() ? parse_rfc3339(time->get<std::string>()) : Error("");
      step.at = moment.ok() ? *moment : start + duration(json, place, "time").value_or(Duration{});
    } else {
      fail(place, "has no time (accepted: a duration since the start, or RFC 3339)");
    }
    step.hold = duration(json, place, "hold").value_or(Duration{});
    if (!out_.steps.empty()) {
      const ReadingsStep& before = out_.steps.back();
      if (step.at <= before.at) fail(place + ".time", "is not after the step before");
      step.readings = before.readings;
      step.pods = std::nullopt;
    }
    if (const Json* readings = find(json, "readings");
        readings != nullptr && is_map(*readings, place + ".readings")) {
      for (const auto& [key, value] : readings->items()) {
        step.readings[key] = reading(value, fmt::format("{}.readings.{}", place, key));
      }
    }
    step.replicas = count32(json, place, "replicas");
    if (const Json* pods = find(json, "pods")) {
      step.pods.emplace();
      read_pods(*pods, place + ".pods", step.at, *step.pods);
    }
    if (const Json* jobs = find(json, "jobs")) {
      check_keys(*jobs, place + ".jobs", {"running", "pending"});
      if (error_.empty()) step.jobs_running = count(*jobs, place + ".jobs", "running");
      if (error_.empty()) step.jobs_pending = count(*jobs, place + ".jobs", "pending");
    }
    out_.steps.push_back(std::move(step));
  }

  std::string_view name_;
  std::string error_;
  ReadingsFile out_;
};

}  // namespace

Result<ReadingsFile> read_readings(std::string_view text, std::string_view name) {
  const auto documents = parse_yaml(text);
  if (!documents.ok()) return documents.error().in(name);
  if (documents->size() != 1) {
    return Error(fmt::format("{}: found {} documents (accepted: one)", name, documents->size()));
  }
  return File(name).read(*documents->front().value);
}

}  // namespace windlass::cli
