#include "server/rest/view.h"

#include <algorithm>
#include <cctype>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/convert.h"
#include "server/rest/json_access.h"

namespace windlass::server::rest {
namespace {

constexpr std::string_view kAccepted =
    "application/json, application/yaml, application/vnd.kubernetes.protobuf";

std::string trimmed_lower(std::string_view text, bool lower) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  std::string out(text);
  if (lower) {
    for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

template <typename Each>
void split(std::string_view text, char separator, Each each) {
  while (!text.empty()) {
    const size_t end = std::min(text.find(separator), text.size());
    each(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

Json partial_metadata(const Json& object, const std::string& meta_version) {
  return {{"kind", "PartialObjectMetadata"},
          {"apiVersion", "meta.k8s.io/" + meta_version},
          {"metadata", at(object, "metadata")}};
}

Json columns_of(const kinds::Table& table) {
  Json columns = Json::array();
  for (const auto& column : table.columns) {
    columns.push_back({{"name", column.name},
                       {"type", column.type},
                       {"format", column.format},
                       {"description", column.description},
                       {"priority", column.priority}});
  }
  return columns;
}

Json row_of(const Core& core, const Target& target, const View& view, Json object) {
  Json row = Json::object();
  Json cells = Json::array();
  for (auto& cell : target.version->table.row(object, core.now())) {
    cells.push_back(std::move(cell));
  }
  row["cells"] = std::move(cells);
  if (view.include == Include::kMetadata) {
    row["object"] = partial_metadata(object, view.meta_version);
  } else if (view.include == Include::kObject) {
    row["object"] = std::move(object);
  }
  return row;
}

Json table_of(const Target& target, const View& view, bool with_columns) {
  Json table = {{"kind", "Table"},
                {"apiVersion", "meta.k8s.io/" + view.meta_version},
                {"metadata", Json::object()},
                {"rows", Json::array()}};
  table["columnDefinitions"] = with_columns ? columns_of(target.version->table) : Json(nullptr);
  return table;
}

Json value_in_view(const Core& core, const Target& target, const View& view, Json object,
                   bool with_columns) {
  if (view.form == Form::kObject) return object;
  if (view.form == Form::kMetadata) return partial_metadata(object, view.meta_version);
  Json table = table_of(target, view, with_columns);
  table["metadata"]["resourceVersion"] = at(object, "metadata", "resourceVersion");
  if (table["metadata"]["resourceVersion"].is_null()) table["metadata"].erase("resourceVersion");
  table["rows"].push_back(row_of(core, target, view, std::move(object)));
  return table;
}

Piece piece(std::string text) { return std::make_shared<const std::string>(std::move(text)); }

}  // namespace

std::string MediaType::parameter(std::string_view name) const {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

std::vector<MediaType> parse_accept(std::string_view header) {
  std::vector<MediaType> types;
  split(header, ',', [&](std::string_view range) {
    if (types.size() >= 32) return;
    MediaType type;
    split(range, ';', [&](std::string_view part) {
      if (type.type.empty()) {
        type.type = trimmed_lower(part, true);
        return;
      }
      const size_t equals = part.find('=');
      if (equals == std::string_view::npos) return;
      type.parameters.emplace_back(trimmed_lower(part.substr(0, equals), true),
                                   trimmed_lower(part.substr(equals + 1), false));
    });
    if (!type.type.empty()) types.push_back(std::move(type));
  });
  return types;
}

Outcome<View> view_of(const Request& request) {
  View view;
  const auto types = parse_accept(request.header("accept"));
  if (types.empty()) return view;
  for (const auto& type : types) {
    const bool json =
        type.type == "application/json" || type.type == "*/*" || type.type == "application/*" ||
        // Protobuf and YAML are optional for clients: all of them read JSON.
        type.type == "application/vnd.kubernetes.protobuf" || type.type == "application/yaml";
    if (!json) continue;
    const std::string as = type.parameter("as");
    if (as.empty()) return view;
    const std::string version = type.parameter("v");
    if (type.parameter("g") != "meta.k8s.io" || (version != "v1" && version != "v1beta1")) continue;
    view.meta_version = version;
    if (as == "Table") {
      view.form = Form::kTable;
      const std::string include = request.parameter("includeObject").value_or("");
      if (include == "None") view.include = Include::kNone;
      if (include == "Object") view.include = Include::kObject;
      return view;
    }
    if (as == "PartialObjectMetadata" || as == "PartialObjectMetadataList") {
      view.form = Form::kMetadata;
      return view;
    }
  }
  return not_acceptable(kAccepted);
}

Json json_of(const cluster::Document& document) {
  // The text is our own: no need to look for what untrusted JSON may have.
  Json object = Json::parse(document.json, nullptr, false);
  return object.is_discarded() ? Json() : object;
}

Piece object_text(const Target& target, const cluster::DocumentPtr& document) {
  // Documents have sorted keys, so theirs comes first.
  const std::string start = fmt::format("{{\"apiVersion\":\"{}\"", target.api_version());
  if (document->json.starts_with(start)) return {document, &document->json};
  return piece(text_of(from_storage(target, json_of(*document))));
}

Piece render(const Core& core, const Target& target, const View& view,
             const cluster::DocumentPtr& document) {
  if (view.form == Form::kObject) return object_text(target, document);
  Json object = from_storage(target, json_of(*document));
  return piece(text_of(value_in_view(core, target, view, std::move(object), true)));
}

Piece render(const Core& core, const Target& target, const View& view, Json object) {
  object = from_storage(target, std::move(object));
  return piece(text_of(value_in_view(core, target, view, std::move(object), true)));
}

void render_list(const Core& core, const Target& target, const View& view,
                 const std::vector<cluster::DocumentPtr>& documents, const Json& metadata,
                 Response& response) {
  static const Piece comma = piece(",");
  static const Piece end = piece("]}\n");
  if (view.form == Form::kTable) {
    Json table = table_of(target, view, true);
    table["metadata"] = metadata;
    for (const auto& document : documents) {
      table["rows"].push_back(row_of(core, target, view, from_storage(target, json_of(*document))));
    }
    response.body = text_of(table) + "\n";
    return;
  }
  const bool partial = view.form == Form::kMetadata;
  const Json head = {
      {"apiVersion", partial ? "meta.k8s.io/" + view.meta_version : target.api_version()},
      {"kind", partial ? "PartialObjectMetadataList" : target.resource->list_kind},
      {"metadata", metadata}};
  response.body = text_of(head);
  response.body.pop_back();
  response.body += ",\"items\":[";
  response.parts.reserve(documents.size() * 2 + 1);
  for (const auto& document : documents) {
    if (!response.parts.empty()) response.parts.push_back(comma);
    response.parts.push_back(render(core, target, view, document));
  }
  response.parts.push_back(end);
}

Piece render_event(const Core& core, const Target& target, const View& view, std::string_view type,
                   const cluster::DocumentPtr& document, bool with_columns) {
  Piece object;
  if (view.form == Form::kObject) {
    object = object_text(target, document);
  } else {
    Json value = from_storage(target, json_of(*document));
    object = piece(text_of(value_in_view(core, target, view, std::move(value), with_columns)));
  }
  return piece(fmt::format("{{\"type\":\"{}\",\"object\":{}}}\n", type, *object));
}

Piece render_bookmark(const Target& target, const View& view, uint64_t resource_version,
                      bool initial_end) {
  Json metadata = {{"resourceVersion", std::to_string(resource_version)},
                   {"creationTimestamp", nullptr}};
  if (initial_end) metadata["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  Json object = {{"metadata", metadata}};
  if (view.form == Form::kObject) {
    object["kind"] = target.resource->kind;
    object["apiVersion"] = target.api_version();
  } else if (view.form == Form::kMetadata) {
    object = partial_metadata(object, view.meta_version);
  } else {
    Json table = table_of(target, view, false);
    table["metadata"] = {{"resourceVersion", std::to_string(resource_version)}};
    Json row = {{"cells", Json::array()}, {"object", partial_metadata(object, view.meta_version)}};
    for (size_t i = 0; i < target.version->table.columns.size(); ++i) row["cells"].push_back("");
    table["rows"].push_back(std::move(row));
    object = std::move(table);
  }
  return piece(text_of({{"type", "BOOKMARK"}, {"object", std::move(object)}}) + "\n");
}

}  // namespace windlass::server::rest
