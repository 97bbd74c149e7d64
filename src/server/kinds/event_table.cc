// `kubectl get events`. Both forms of an Event are read: v1's (involvedObject, message, ...) and
// that of events.k8s.io, which has other names for the same (regarding, note, deprecated*).
#include <nlohmann/json.hpp>

#include "base/text.h"
#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

const Json& either(const Json& event, std::string_view core, std::string_view events) {
  const Json& first = at(event, core);
  return first.is_null() ? at(event, events) : first;
}

std::string lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return text;
}

std::string target(const Json& object) {
  const std::string kind = lower(text(at(object, "kind")));
  const std::string name = text(at(object, "name"));
  return name.empty() ? kind : kind + "/" + name;
}

std::string source(const Json& event) {
  const Json& given = either(event, "source", "deprecatedSource");
  const Json& controller = either(event, "reportingComponent", "reportingController");
  const std::string component = or_else_text(text(at(given, "component")), text(controller));
  const std::string host =
      or_else_text(text(at(given, "host")), text(at(event, "reportingInstance")));
  return host.empty() ? component : component + ", " + host;
}

Cells event_row(const Json& event, Instant now) {
  const Json& object = either(event, "involvedObject", "regarding");
  const Json& first_time = either(event, "firstTimestamp", "deprecatedFirstTimestamp");
  const Json& last_time = either(event, "lastTimestamp", "deprecatedLastTimestamp");
  const Json& series = at(event, "series");
  const std::string first = since(first_time.is_null() ? at(event, "eventTime") : first_time, now);
  std::string last = last_time.is_null() ? first : since(last_time, now);
  int64_t count = whole(either(event, "count", "deprecatedCount"));
  if (series.is_object()) {
    last = since(at(series, "lastObservedTime"), now);
    count = whole(at(series, "count"));
  } else if (count == 0) {
    count = 1;  // an event that came once has no count in the newer form
  }
  return {last,
          text(at(event, "type")),
          text(at(event, "reason")),
          target(object),
          text(at(object, "fieldPath")),
          source(event),
          std::string(trim(text(either(event, "message", "note")))),
          first,
          count,
          name_of(event)};
}

}  // namespace

Table event_table() {
  Column name = wide("Name");
  name.format = "name";
  return {{shown("Last Seen"), shown("Type"), shown("Reason"), shown("Object"), wide("Subobject"),
           wide("Source"), shown("Message"), wide("First Seen"), wide("Count"), name},
          event_row};
}

}  // namespace windlass::server::kinds
