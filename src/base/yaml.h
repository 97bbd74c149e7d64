// A YAML stream as Kubernetes reads it, document by document: one that is wrong doesn't hide the
// others. Keeps the places of all values, so that messages can name lines without reading again.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/yaml_tree.h"

namespace windlass {

class YamlStream {
 public:
  // Documents that hold nothing are left out.
  explicit YamlStream(std::string_view text);

  [[nodiscard]] const std::vector<YamlDocument>& documents() const { return documents_; }
  // What is wrong, at most one a document, in the order of the text.
  [[nodiscard]] const std::vector<YamlProblem>& problems() const { return problems_; }

  // The line of the value at `path` in a document of documents(), or 0 if there is no such value.
  // Fields stand behind dots, list positions in brackets; a key with dots may stand either in
  // brackets or behind a dot: "limits[nvidia.com/gpu]", "limits.nvidia.com/gpu".
  [[nodiscard]] int line_of(size_t document, std::string_view path) const;
  // The same, or the line of the innermost value on the way that there is.
  [[nodiscard]] int nearest_line(size_t document, std::string_view path) const;

 private:
  void read_part(std::string_view part, int first_line);
  void read_as_json(std::string_view text);

  std::vector<YamlDocument> documents_;
  std::vector<YamlProblem> problems_;
  std::vector<std::unique_ptr<YamlTree>> trees_;
  std::vector<const YamlNode*> roots_;  // beside documents_; null: read as JSON, no places known
  bool syntax_error_ = false;
};

}  // namespace windlass
