// Tables of custom resources, from the columns their CRD declares.
#include <optional>

#include <nlohmann/json.hpp>

#include "server/kinds/fields.h"
#include "server/kinds/json_path.h"
#include "server/kinds/tables.h"

namespace windlass::server::kinds {
namespace {

// One value as the column's type wants it; null (kubectl shows nothing) where it does not fit.
Json cell(const std::string& type, const Json& value, Instant now) {
  if (value.is_null()) return nullptr;
  if (type == "string") return scalar_text(value);
  if (type == "integer" && value.is_number()) return whole(value);
  if (type == "number" && value.is_number()) return value.get<double>();
  if (type == "boolean" && value.is_boolean()) return value;
  if (type == "date" && value.is_string()) {
    const std::string time = text(value);
    if (!time.empty() && !parse_rfc3339(time).ok()) return "<invalid>";
    return since(value, now);
  }
  return nullptr;
}

struct CrdColumn {
  std::string type;
  std::optional<JsonPath> path;  // none: a path that can't be read; its cells stay empty
};

Json age_column() {
  return Json::array(
      {{{"name", "Age"}, {"type", "date"}, {"jsonPath", ".metadata.creationTimestamp"}}});
}

}  // namespace

Table table_for_crd(const Json& additional_printer_columns) {
  const Json& declared = items(additional_printer_columns);
  const Json chosen = declared.empty() ? age_column() : declared;
  Table table{{name_column()}, nullptr};
  std::vector<CrdColumn> columns;
  for (const Json& one : chosen) {
    const std::string path = text(at(one, "jsonPath"));
    Column column = shown(text(at(one, "name")), text(at(one, "type")));
    column.format = text(at(one, "format"));
    column.description = text(at(one, "description"));
    column.priority = static_cast<int>(whole(at(one, "priority")));
    Result<JsonPath> parsed = JsonPath::parse(path);
    columns.push_back(
        {column.type, parsed.ok() ? std::optional(std::move(*parsed)) : std::nullopt});
    table.columns.push_back(std::move(column));
  }
  table.row = [columns = std::move(columns)](const Json& object, Instant now) {
    Cells cells{name_of(object)};
    for (const CrdColumn& column : columns) {
      const std::vector<const Json*> found =
          column.path ? column.path->find(object) : std::vector<const Json*>();
      cells.push_back(found.empty() ? Json() : cell(column.type, *found.front(), now));
    }
    return cells;
  };
  return table;
}

}  // namespace windlass::server::kinds
