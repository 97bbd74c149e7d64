// Reads one trigger's metadata as KEDA's typed parser does (reference keda_hpa.md 1.2): values are
// trimmed, an empty one counts as absent, every bad field is reported, not the first only. Keys
// that were never asked for can be listed afterwards. A field may also stand in a container's
// environment (KEY + "FromEnv" names the variable) or among the parameters of the trigger's
// authentication; what comes from there is never shown. Private to this room.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "api/meta.h"
#include "base/time.h"
#include "scaling/trigger_plan.h"

namespace windlass::scaling {

class TriggerMetadata {
 public:
  // `place` opens every message: "triggers[0]". `metadata` and `values` must outlive this; without
  // values (null) neither environment nor authentication is known.
  TriggerMetadata(std::string place, const api::StringMap& metadata, const ResolvedValues* values)
      : place_(std::move(place)), metadata_(metadata), values_(values) {}

  // Each notes an error and returns a harmless value where the field is bad, or required and
  // absent.
  std::string text(std::string_view key);  // required
  std::string text_or(std::string_view key, std::string_view otherwise);
  double number(std::string_view key);  // required
  double number_or(std::string_view key, double otherwise);
  int64_t whole(std::string_view key);  // required
  // strconv.ParseBool's spellings: 1 t T TRUE true True, 0 f F FALSE false False.
  bool flag_or(std::string_view key, bool otherwise);
  // A Go duration, or else whole milliseconds; never negative.
  Duration duration_or(std::string_view key, Duration otherwise);
  // "k=v,k2=v2"; a value that contains = is an error.
  api::StringMap map(std::string_view key);
  // One of `accepted`, of which the first is the default.
  std::string one_of(std::string_view key, const std::vector<std::string_view>& accepted);
  // The parameter of the trigger's authentication, if it has that.
  std::optional<std::string> auth(std::string_view parameter);

  void fail(std::string_view key, std::string_view what);
  [[nodiscard]] const std::vector<std::string>& errors() const { return errors_; }
  // The keys present that nothing above asked for, sorted.
  [[nodiscard]] std::vector<std::string> unread() const;
  [[nodiscard]] const std::string& place() const { return place_; }

 private:
  struct Found {
    std::string text;
    bool secret = false;  // not from the manifest
    // For messages: the text in quotes, or that it is not shown.
    [[nodiscard]] std::string shown() const;
  };
  std::optional<Found> find(std::string_view key);
  std::optional<Found> find_required(std::string_view key);
  std::optional<double> as_number(std::string_view key, const Found& found);

  std::string place_;
  const api::StringMap& metadata_;
  const ResolvedValues* values_;
  std::set<std::string, std::less<>> read_;
  std::vector<std::string> errors_;
};

}  // namespace windlass::scaling
