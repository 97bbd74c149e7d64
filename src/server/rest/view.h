// How an object goes out: which version, and plain, as a Table's row or as metadata alone (content
// negotiation by Accept). Internal to this room.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "server/rest/core.h"

namespace windlass::server::rest {

using Piece = std::shared_ptr<const std::string>;

enum class Form { kObject, kTable, kMetadata };
enum class Include { kNone, kMetadata, kObject };

struct View {
  Form form = Form::kObject;
  std::string meta_version = "v1";       // of Table and PartialObjectMetadata
  Include include = Include::kMetadata;  // what a Table's rows carry

  bool operator==(const View&) const = default;
};

// One media range of an Accept header: "application/json;as=Table;v=v1;g=meta.k8s.io".
struct MediaType {
  std::string type;  // lower case
  std::vector<std::pair<std::string, std::string>> parameters;
  [[nodiscard]] std::string parameter(std::string_view name) const;
};
std::vector<MediaType> parse_accept(std::string_view header);

// What the request accepts; 406 if nothing that can be given.
Outcome<View> view_of(const Request& request);

// The document in the version and plain: the store's own bytes where nothing differs.
Piece object_text(const Target& target, const cluster::DocumentPtr& document);

// One object. Its Table has one row.
Piece render(const Core& core, const Target& target, const View& view,
             const cluster::DocumentPtr& document);
// The same for a value that is not stored (dry run).
Piece render(const Core& core, const Target& target, const View& view, Json object);

// A list's parts: fills `response` without copying documents. `metadata` is the ListMeta.
void render_list(const Core& core, const Target& target, const View& view,
                 const std::vector<cluster::DocumentPtr>& documents, const Json& metadata,
                 Response& response);

// One line of a watch. Tables name their columns in a watch's first event only.
Piece render_event(const Core& core, const Target& target, const View& view, std::string_view type,
                   const cluster::DocumentPtr& document, bool with_columns);
// {"type":"BOOKMARK"}; `initial_end` marks the end of a streamed list.
Piece render_bookmark(const Target& target, const View& view, uint64_t resource_version,
                      bool initial_end);

}  // namespace windlass::server::rest
