// Reads one JSON value the strict way Kubernetes does, and goes on after an error: everything that
// is wrong is collected with its path ("spec.triggers[1].metadata.threshold"), so that one pass
// names every bad field. Manifests and scenario files are read through it.
//
//   ReadLog log;
//   Reader root(json, "", log);
//   const auto replicas = root.at("spec").at("replicas").integer(0, 1000).value_or(1);
//   const auto name = root.at("name").required_string();
//   root.warn_unknown_keys();   // known are the keys that at() was asked for
//   if (!log.errors.empty()) ...
//
// A missing value and null read alike: as absent. A Reader points into the Json and the log, which
// must outlive it. Not for several threads.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/meta.h"
#include "api/resources.h"
#include "base/json.h"
#include "base/quantity.h"
#include "base/time.h"

namespace windlass::api {

struct ReadFinding {
  std::string path;
  std::string text;
};

struct ReadLog {
  std::vector<ReadFinding> errors;
  std::vector<ReadFinding> warnings;

  // "path: text; path: text": the errors in one line.
  [[nodiscard]] std::string joined_errors() const;
};

class Reader {
 public:
  Reader(const Json& value, std::string path, ReadLog& log);

  [[nodiscard]] bool present() const { return value_ != nullptr; }
  // The value itself; only if present().
  [[nodiscard]] const Json& json() const;
  [[nodiscard]] const std::string& path() const { return path_; }
  void error(std::string text) const;
  void warning(std::string text) const;

  // The field `key` of a map. Absent if this is absent or has no such key; a value that is not a
  // map is an error, said once.
  Reader at(std::string_view key);
  // The same, and an error if it is absent.
  Reader required(std::string_view key);
  // Whether one of the fields is given, without reading it.
  [[nodiscard]] bool has(std::string_view key) const;
  // An error ("accepted: a map") unless absent or a map.
  bool expect_map();

  // Elements of a list, fields of a map in order of their keys. Empty if absent; another type is
  // an error.
  std::vector<Reader> items() const;
  std::vector<std::pair<std::string, Reader>> entries() const;

  // Scalars: absent gives nullopt without an error, a wrong type or value gives nullopt and an
  // error. Both ends of a range are accepted.
  std::optional<std::string> string() const;
  std::optional<int64_t> integer(int64_t low, int64_t high) const;
  std::optional<int32_t> int32(int32_t low, int32_t high) const;
  std::optional<double> number(double low, double high) const;  // an int is a number, too
  std::optional<bool> boolean() const;
  std::optional<Duration> duration() const;  // "90s", "1h30m"; not negative
  std::optional<Instant> time() const;       // RFC 3339
  std::optional<Quantity> quantity() const;  // "4", "500m", "1.5Gi" or a number
  std::vector<std::string> strings() const;
  StringMap string_map() const;
  ResourceList resources() const;  // quantities by name; negative ones are an error
  // One of the names (exact); what else is an error that lists them.
  template <typename T>
  std::optional<T> one_of(const std::vector<std::pair<std::string_view, T>>& names) const;

  // Absent, empty or not a string is an error; gives "" then.
  std::string required_string() const;
  // An error if the value is absent.
  const Reader& must() const;

  // Says of every key that at(), required() and allow() were not asked for that it is unknown,
  // with "did you mean".
  void warn_unknown_keys() const { report_unknown_keys(false); }
  void refuse_unknown_keys() const { report_unknown_keys(true); }
  // Keys that are known but not read.
  void allow(std::vector<std::string_view> keys);

 private:
  Reader(const Json* value, std::string path, ReadLog* log)
      : value_(value), path_(std::move(path)), log_(log) {}
  void wrong_type(std::string_view accepted) const;
  void not_one_of(const std::vector<std::string_view>& names) const;
  void report_unknown_keys(bool as_errors) const;
  [[nodiscard]] Reader child(const Json* value, std::string_view key, bool free_key) const;

  const Json* value_;  // null: absent
  std::string path_;
  ReadLog* log_;
  std::vector<std::string> known_;
  bool reported_not_a_map_ = false;
};

template <typename T>
std::optional<T> Reader::one_of(const std::vector<std::pair<std::string_view, T>>& names) const {
  const auto text = string();
  if (!text) return std::nullopt;
  std::vector<std::string_view> accepted;
  for (const auto& [name, value] : names) {
    if (name == *text) return value;
    accepted.push_back(name);
  }
  not_one_of(accepted);
  return std::nullopt;
}

// "a string \"abc\"", "a number 5", "a map": what a value is, for messages.
std::string describe(const Json& value);

}  // namespace windlass::api
