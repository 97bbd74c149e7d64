// Tables of what makes pods: apps/v1, batch/v1 and replication controllers.
#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

const Json& template_spec(const Json& object) { return at(object, {"spec", "template", "spec"}); }

int64_t status_count(const Json& object, std::string_view name) {
  return whole(at(object, {"status", name}));
}

int64_t replicas(const Json& object) { return whole(at(object, {"spec", "replicas"})); }

std::string of(int64_t part, int64_t all) {
  return std::to_string(part) + "/" + std::to_string(all);
}

Cells deployment_row(const Json& object, Instant now) {
  auto [names, images] = container_cells(template_spec(object));
  return {name_of(object),
          of(status_count(object, "readyReplicas"), replicas(object)),
          status_count(object, "updatedReplicas"),
          status_count(object, "availableReplicas"),
          age(object, now),
          names,
          images,
          selector_text(at(object, {"spec", "selector"}))};
}

Cells replica_set_row(const Json& object, Instant now) {
  auto [names, images] = container_cells(template_spec(object));
  return {name_of(object),
          replicas(object),
          status_count(object, "replicas"),
          status_count(object, "readyReplicas"),
          age(object, now),
          names,
          images,
          or_else_text(selector_text(at(object, {"spec", "selector"})), "<none>")};
}

// Its selector is a plain map of labels.
Cells replication_controller_row(const Json& object, Instant now) {
  Cells cells = replica_set_row(object, now);
  cells.back() = or_else_text(labels_text(at(object, {"spec", "selector"})), "<none>");
  return cells;
}

Cells daemon_set_row(const Json& object, Instant now) {
  auto [names, images] = container_cells(template_spec(object));
  return {name_of(object),
          status_count(object, "desiredNumberScheduled"),
          status_count(object, "currentNumberScheduled"),
          status_count(object, "numberReady"),
          status_count(object, "updatedNumberScheduled"),
          status_count(object, "numberAvailable"),
          or_else_text(labels_text(at(template_spec(object), "nodeSelector")), "<none>"),
          age(object, now),
          names,
          images,
          or_else_text(selector_text(at(object, {"spec", "selector"})), "<none>")};
}

// "replicaset.apps/web-1": the controlling owner.
std::string controller(const Json& object) {
  for (const Json& owner : items(at(object, {"metadata", "ownerReferences"}))) {
    if (!truth(at(owner, "controller"))) continue;
    std::string kind = text(at(owner, "kind"));
    for (char& c : kind) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    const std::string version = text(at(owner, "apiVersion"));
    const size_t slash = version.find('/');
    if (slash != std::string::npos) kind += "." + version.substr(0, slash);
    return kind + "/" + text(at(owner, "name"));
  }
  return "<none>";
}

std::string job_status(const Json& job) {
  const Json& conditions = at(job, {"status", "conditions"});
  const auto is = [&](std::string_view type) { return condition(conditions, type) == "True"; };
  if (is("Complete")) return "Complete";
  if (is("Failed")) return "Failed";
  if (!at(job, {"metadata", "deletionTimestamp"}).is_null()) return "Terminating";
  for (const std::string_view type : {"Suspended", "FailureTarget", "SuccessCriteriaMet"}) {
    if (is(type)) return std::string(type);
  }
  return "Running";
}

std::string job_completions(const Json& job) {
  const int64_t done = status_count(job, "succeeded");
  const Json& completions = at(job, {"spec", "completions"});
  if (!completions.is_null()) return of(done, whole(completions));
  const int64_t parallelism = whole(at(job, {"spec", "parallelism"}));
  return of(done, 1) + (parallelism > 1 ? " of " + std::to_string(parallelism) : "");
}

std::string job_duration(const Json& job, Instant now) {
  const Result<Instant> start = parse_rfc3339(text(at(job, {"status", "startTime"})));
  if (!start.ok()) return "";
  const Result<Instant> end = parse_rfc3339(text(at(job, {"status", "completionTime"})));
  return human_duration((end.ok() ? *end : now) - *start);
}

Cells job_row(const Json& object, Instant now) {
  auto [names, images] = container_cells(template_spec(object));
  return {name_of(object),
          job_status(object),
          job_completions(object),
          job_duration(object, now),
          age(object, now),
          names,
          images,
          or_else_text(selector_text(at(object, {"spec", "selector"})), "<none>")};
}

Cells cron_job_row(const Json& object, Instant now) {
  const Json& spec = at(object, "spec");
  const Json& suspend = at(spec, "suspend");
  const Json& last = at(object, {"status", "lastScheduleTime"});
  const Json& job = at(spec, {"jobTemplate", "spec"});
  auto [names, images] = container_cells(at(job, {"template", "spec"}));
  return {name_of(object),
          text(at(spec, "schedule")),
          at(spec, "timeZone").is_null() ? "<none>" : text(at(spec, "timeZone")),
          suspend.is_null() ? "<unset>"
          : truth(suspend)  ? "True"
                            : "False",
          static_cast<int64_t>(items(at(object, {"status", "active"})).size()),
          last.is_null() ? "<none>" : since(last, now),
          age(object, now),
          names,
          images,
          or_else_text(selector_text(at(job, "selector")), "<none>")};
}

std::vector<Column> replica_columns() {
  return {name_column(),
          shown("Desired", "integer"),
          shown("Current", "integer"),
          shown("Ready", "integer"),
          shown("Age"),
          wide("Containers"),
          wide("Images"),
          wide("Selector")};
}

}  // namespace

Table deployment_table() {
  return {{name_column(), shown("Ready"), shown("Up-to-date"), shown("Available"), shown("Age"),
           wide("Containers"), wide("Images"), wide("Selector")},
          deployment_row};
}

Table replica_set_table() { return {replica_columns(), replica_set_row}; }

Table replication_controller_table() { return {replica_columns(), replication_controller_row}; }

Table stateful_set_table() {
  return {{name_column(), shown("Ready"), shown("Age"), wide("Containers"), wide("Images")},
          [](const Json& object, Instant now) -> Cells {
            auto [names, images] = container_cells(template_spec(object));
            return {name_of(object), of(status_count(object, "readyReplicas"), replicas(object)),
                    age(object, now), names, images};
          }};
}

Table daemon_set_table() {
  return {
      {name_column(), shown("Desired", "integer"), shown("Current", "integer"),
       shown("Ready", "integer"), shown("Up-to-date", "integer"), shown("Available", "integer"),
       shown("Node Selector"), shown("Age"), wide("Containers"), wide("Images"), wide("Selector")},
      daemon_set_row};
}

Table controller_revision_table() {
  return {{name_column(), shown("Controller"), shown("Revision"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), controller(object), whole(at(object, "revision")),
                    age(object, now)};
          }};
}

Table job_table() {
  return {{name_column(), shown("Status"), shown("Completions"), shown("Duration"), shown("Age"),
           wide("Containers"), wide("Images"), wide("Selector")},
          job_row};
}

Table cron_job_table() {
  return {{name_column(), shown("Schedule"), shown("Timezone"), shown("Suspend", "boolean"),
           shown("Active", "integer"), shown("Last Schedule"), shown("Age"), wide("Containers"),
           wide("Images"), wide("Selector")},
          cron_job_row};
}

Table scale_table() {
  Column name = shown("Name");
  return {{name, shown("Desired", "integer"), shown("Available", "integer"), shown("Age")},
          [](const Json& object, Instant now) -> Cells {
            return {name_of(object), replicas(object), status_count(object, "replicas"),
                    age(object, now)};
          }};
}

}  // namespace windlass::server::kinds
