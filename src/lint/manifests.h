// Private to this room: all manifests as the rules look at them, each object with its place, and
// the findings as they come.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/object.h"
#include "base/yaml.h"
#include "catalog/catalog.h"
#include "lint/lint.h"

namespace windlass::lint {

// Where an object stands.
struct Origin {
  size_t file = 0;
  size_t document = 0;
  std::string path;         // within the document: empty, or an element of a List
  std::string api_version;  // as written
};

template <typename T>
struct Item {
  const T* object = nullptr;
  const Origin* origin = nullptr;
};

// What makes pods, whatever its kind.
struct Workload {
  std::string_view kind;
  const api::ObjectMeta* meta = nullptr;
  const api::PodTemplate* pods = nullptr;
  const Origin* origin = nullptr;
  int32_t replicas = 1;
  std::string pod_path;  // of the pod's spec: "spec.template.spec"
};

class Manifests {
 public:
  Manifests(const std::vector<File>& files, const catalog::Catalog& catalog);

  template <typename T>
  [[nodiscard]] std::vector<Item<T>> all() const {
    std::vector<Item<T>> out;
    for (const Entry& entry : entries_) {
      if (const T* object = std::get_if<T>(&entry.object)) out.push_back({object, &entry.origin});
    }
    return out;
  }
  [[nodiscard]] const std::vector<Workload>& workloads() const { return workloads_; }
  // The workload a scale target names, or nullptr.
  [[nodiscard]] const Workload* workload(std::string_view kind, std::string_view namespace_name,
                                         std::string_view name) const;
  // The types a pool can buy, as its node class sees them.
  [[nodiscard]] const catalog::Catalog& types_of(const api::NodePool& pool) const;
  [[nodiscard]] const catalog::Catalog& catalog() const { return *catalog_; }

  // A finding about one field of an object ("" is the whole object).
  void report(std::string_view rule, const Origin& origin, std::string_view kind,
              const api::ObjectMeta& meta, std::string_view field, std::string what,
              std::string fix);
  template <typename T>
  void report(std::string_view rule, const Item<T>& item, std::string_view field, std::string what,
              std::string fix) {
    report(rule, *item.origin, api::kind_of(*item.object), item.object->meta, field,
           std::move(what), std::move(fix));
  }
  // In order; ends the life of this as a collector.
  std::vector<Finding> take_findings();

 private:
  struct Entry {
    api::Object object;
    Origin origin;
  };
  struct Placed {
    size_t file;
    int line;
    Finding finding;
  };
  void read(size_t file, const File& source);
  void list_workloads();
  void note(size_t file, const api::Finding& finding, bool error);

  std::vector<std::string> names_;
  std::vector<std::unique_ptr<YamlStream>> streams_;  // one a file: places
  std::vector<Entry> entries_;
  std::map<std::string, size_t, std::less<>> file_of_;  // by kind and key
  std::vector<Workload> workloads_;
  std::deque<api::PodTemplate> bare_pods_;  // of Pods, in a template's shape
  const catalog::Catalog* catalog_;
  std::map<std::string, catalog::Catalog, std::less<>> types_by_class_;
  std::vector<Placed> findings_;
};

}  // namespace windlass::lint
