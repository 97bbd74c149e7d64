#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/kinds.h"
#include "api/object.h"
#include "base/utf8.h"
#include "base/yaml.h"

namespace windlass::api {
namespace {

// More findings about one object help nobody, and each costs a search for its line.
constexpr size_t kMaxFindings = 200;

struct PlacedFinding {
  int line = 0;
  Finding finding;
};

// Reads the documents of one text in order.
class ManifestReader {
 public:
  ManifestReader(std::string_view text, std::string_view file) : stream_(text), file_(file) {}

  Manifests read() {
    for (const YamlProblem& problem : stream_.problems()) {
      errors_.push_back(
          {problem.line,
           {fmt::format("{}:{}:{}", file_, problem.line, problem.column), problem.text}});
    }
    for (size_t i = 0; i < stream_.documents().size(); ++i) {
      read_document(i, stream_.documents()[i].value, "");
    }
    Manifests out;
    out.objects = std::move(objects_);
    out.errors = in_order(errors_);
    out.warnings = in_order(warnings_);
    return out;
  }

 private:
  // `path` leads from the document to `raw`: empty, or an element of a List.
  void read_document(size_t document, const RawObject& raw, const std::string& path) {
    if (is_list(*raw)) {
      const auto items = raw->find("items");
      if (items == raw->end() || !items->is_array()) return;
      const std::string prefix = path.empty() ? "items" : path + ".items";
      for (size_t i = 0; i < items->size(); ++i) {
        read_document(document, std::make_shared<const Json>((*items)[i]),
                      fmt::format("{}[{}]", prefix, i));
      }
      return;
    }
    ReadLog log;
    bool unknown_kind = false;
    auto object = read_object(raw, path, log, &unknown_kind);
    const std::string name = name_of(*raw);
    if (unknown_kind) {
      log.warnings.push_back({path, why_not_read(raw->at("kind").get<std::string>(),
                                                 raw->at("apiVersion").get<std::string>()) +
                                        "; skipped"});
    }
    report(log.errors, document, path, name, errors_);
    report(log.warnings, document, path, name, warnings_);
    if (object) keep(*std::move(object), stream_.nearest_line(document, path), name);
  }

  static bool is_list(const Json& raw) {
    return raw.is_object() && raw.contains("kind") && raw["kind"] == "List";
  }

  // "NodePool/gpu", as far as the document says.
  static std::string name_of(const Json& raw) {
    const auto text = [](const Json& map, const char* key) -> std::string {
      if (!map.is_object()) return "";
      const auto found = map.find(key);
      if (found == map.end() || !found->is_string()) return "";
      return printable(found->get_ref<const std::string&>(), 64);
    };
    const std::string kind = text(raw, "kind");
    const std::string name =
        raw.is_object() && raw.contains("metadata") ? text(raw["metadata"], "name") : "";
    return name.empty() ? kind : kind + "/" + name;
  }

  void report(const std::vector<ReadFinding>& findings, size_t document, const std::string& prefix,
              const std::string& name, std::vector<PlacedFinding>& out) {
    const size_t shown = std::min(findings.size(), kMaxFindings);
    int line = 0;
    for (size_t i = 0; i < shown; ++i) {
      line = stream_.nearest_line(document, findings[i].path);
      std::string_view path = findings[i].path;
      if (path.starts_with(prefix)) path.remove_prefix(prefix.size());
      if (path.starts_with('.')) path.remove_prefix(1);
      std::string place = fmt::format("{}:{}", file_, line);
      if (!name.empty()) place += ": " + name;
      if (!path.empty()) place += fmt::format("{}{}", name.empty() ? ": " : " ", path);
      out.push_back({line, {std::move(place), findings[i].text}});
    }
    if (shown < findings.size()) {
      out.push_back({line,
                     {fmt::format("{}:{}: {}", file_, line, name),
                      fmt::format("and {} more", findings.size() - shown)}});
    }
  }

  // kubectl applies one document after the other, so of two with one name the later stays.
  void keep(Object object, int line, const std::string& name) {
    const std::string key = fmt::format("{} {}", kind_of(object), meta_of(object).key());
    const auto [found, fresh] = seen_.try_emplace(key, Seen{objects_.size(), line});
    if (fresh) {
      objects_.push_back(std::move(object));
      return;
    }
    warnings_.push_back(
        {line,
         {fmt::format("{}:{}: {}", file_, line, name),
          fmt::format("takes the place of the one in line {}", found->second.line)}});
    objects_[found->second.index] = std::move(object);
    found->second.line = line;
  }

  static std::vector<Finding> in_order(std::vector<PlacedFinding>& findings) {
    std::stable_sort(
        findings.begin(), findings.end(),
        [](const PlacedFinding& a, const PlacedFinding& b) { return a.line < b.line; });
    std::vector<Finding> out;
    for (PlacedFinding& placed : findings) out.push_back(std::move(placed.finding));
    return out;
  }

  struct Seen {
    size_t index;
    int line;
  };
  YamlStream stream_;
  std::string file_;
  std::vector<Object> objects_;
  std::map<std::string, Seen> seen_;
  std::vector<PlacedFinding> errors_;
  std::vector<PlacedFinding> warnings_;
};

}  // namespace

Manifests read_manifests(std::string_view text, std::string_view file) {
  return ManifestReader(text, file).read();
}

}  // namespace windlass::api
