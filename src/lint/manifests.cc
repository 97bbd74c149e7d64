#include "lint/manifests.h"

#include <algorithm>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace windlass::lint {
namespace {

std::string text_at(const Json& map, const char* key) {
  if (!map.is_object()) return "";
  const auto found = map.find(key);
  return found != map.end() && found->is_string() ? found->get<std::string>() : "";
}

std::string identity(std::string_view kind, std::string_view key) {
  return fmt::format("{} {}", kind, key);
}

using Places = std::map<std::string, Origin>;

// Where each object of a document stands, by what it is; Lists are unpacked as the reader does. An
// object without a namespace is put down as one of the default namespace and as one of none: only
// the reader knows which its kind takes. Of two with one name the later one stays, as in the
// reader.
void find_places(const Json& raw, size_t file, size_t document, const std::string& path,
                 Places& out) {
  const std::string kind = text_at(raw, "kind");
  if (kind == "List" && raw.contains("items") && raw["items"].is_array()) {
    const std::string prefix = path.empty() ? "items" : path + ".items";
    for (size_t i = 0; i < raw["items"].size(); ++i) {
      find_places(raw["items"][i], file, document, fmt::format("{}[{}]", prefix, i), out);
    }
    return;
  }
  if (!raw.is_object() || !raw.contains("metadata")) return;
  const std::string name = text_at(raw["metadata"], "name");
  std::string namespace_name = text_at(raw["metadata"], "namespace");
  if (namespace_name.empty()) namespace_name = "default";
  const Origin origin{file, document, path, text_at(raw, "apiVersion")};
  out.insert_or_assign(identity(kind, namespace_name + "/" + name), origin);
  out.insert_or_assign(identity(kind, name), origin);
}

// The rule a message of the reader belongs to, and what helps.
struct Sorted {
  std::string_view rule;
  std::string fix;
};
Sorted sort_warning(std::string_view text) {
  if (text.starts_with("consolidateAfter beside WhenUnderutilized")) {
    return {"consolidate-after-v1beta1",
            "write apiVersion karpenter.sh/v1 with consolidationPolicy WhenEmptyOrUnderutilized"};
  }
  if (text.find("ignored by KEDA") != std::string_view::npos) {
    return {"trigger-metadata-ignored", "remove it"};
  }
  if (text.starts_with("unknown field")) return {"unknown-field", "correct or remove it"};
  if (text.find("is not a kind Windlass reads") != std::string_view::npos) {
    return {"kind-not-read", "nothing; it takes no part in what is said here"};
  }
  if (text.starts_with("takes the place of")) {
    return {"name-twice", "keep one of the two, or give them different names"};
  }
  return {"manifest-note", "write what is meant"};
}

// The line of "file:17: ..." or "file:17:3".
int line_in(std::string_view place, std::string_view file) {
  if (!place.starts_with(file)) return 0;
  place.remove_prefix(std::min(place.size(), file.size() + 1));
  const auto line = parse_int(place.substr(0, place.find(':')));
  return line.ok() ? static_cast<int>(std::clamp<int64_t>(*line, 0, INT32_MAX)) : 0;
}

}  // namespace

Manifests::Manifests(const std::vector<File>& files, const catalog::Catalog& catalog)
    : catalog_(&catalog) {
  for (size_t i = 0; i < files.size(); ++i) {
    names_.push_back(files[i].name);
    streams_.push_back(std::make_unique<YamlStream>(files[i].text));
    read(i, files[i]);
  }
  list_workloads();
  for (const Item<api::Ec2NodeClass>& node_class : all<api::Ec2NodeClass>()) {
    types_by_class_.insert_or_assign(
        node_class.object->meta.name,
        catalog::with_reservations(catalog::for_node_class(catalog, *node_class.object),
                                   *node_class.object));
  }
}

void Manifests::note(size_t file, const api::Finding& finding, bool error) {
  Sorted sorted{"manifest-invalid", "correct the field"};
  if (!error) sorted = sort_warning(finding.text);
  findings_.push_back({file,
                       line_in(finding.place, names_[file]),
                       {sorted.rule, rule(sorted.rule).severity, finding.place, finding.text,
                        std::move(sorted.fix)}});
}

void Manifests::read(size_t file, const File& source) {
  api::Manifests manifests = api::read_manifests(source.text, source.name);
  for (const api::Finding& finding : manifests.errors) note(file, finding, true);
  for (const api::Finding& finding : manifests.warnings) note(file, finding, false);
  Places places;
  const auto& documents = streams_[file]->documents();
  for (size_t i = 0; i < documents.size(); ++i) {
    find_places(*documents[i].value, file, i, "", places);
  }
  for (api::Object& object : manifests.objects) {
    const std::string name = identity(api::kind_of(object), api::meta_of(object).key());
    const auto place = places.find(name);
    const auto [before, fresh] = file_of_.emplace(name, file);
    entries_.push_back(
        {std::move(object), place == places.end() ? Origin{file, 0, "", ""} : place->second});
    if (fresh) continue;
    const Entry& entry = entries_.back();
    report(
        "name-twice", entry.origin, api::kind_of(entry.object), api::meta_of(entry.object), "",
        fmt::format("stands in {}, too; whichever is applied last stays", names_[before->second]),
        "keep one of the two, or give them different names");
  }
}

void Manifests::list_workloads() {
  const auto add = [&](std::string_view kind, const api::ObjectMeta& meta,
                       const api::PodTemplate& pods, const Origin& origin, int32_t replicas,
                       std::string path) {
    workloads_.push_back({kind, &meta, &pods, &origin, replicas, std::move(path)});
  };
  for (const auto& [object, origin] : all<api::Deployment>()) {
    add("Deployment", object->meta, object->pod_template, *origin, object->replicas,
        "spec.template.spec");
  }
  for (const auto& [object, origin] : all<api::StatefulSet>()) {
    add("StatefulSet", object->meta, object->pod_template, *origin, object->replicas,
        "spec.template.spec");
  }
  for (const auto& [object, origin] : all<api::Job>()) {
    add("Job", object->meta, object->pod_template, *origin, object->parallelism,
        "spec.template.spec");
  }
  for (const auto& [object, origin] : all<api::ScaledJob>()) {
    add("ScaledJob", object->meta, object->job.pod_template, *origin, 1,
        "spec.jobTargetRef.template.spec");
  }
  for (const auto& [object, origin] : all<api::Pod>()) {
    // A pod that has a node, or had one, asks for none.
    if (!object->spec.node_name.empty() || object->terminal()) continue;
    bare_pods_.push_back({object->meta.labels, object->meta.annotations, object->spec});
    add("Pod", object->meta, bare_pods_.back(), *origin, 1, "spec");
  }
}

const Workload* Manifests::workload(std::string_view kind, std::string_view namespace_name,
                                    std::string_view name) const {
  const auto found = std::ranges::find_if(workloads_, [&](const Workload& w) {
    return w.kind == kind && w.meta->name == name && w.meta->namespace_name == namespace_name;
  });
  return found == workloads_.end() ? nullptr : &*found;
}

const catalog::Catalog& Manifests::types_of(const api::NodePool& pool) const {
  const auto found = types_by_class_.find(pool.node_class.name);
  return found == types_by_class_.end() ? *catalog_ : found->second;
}

void Manifests::report(std::string_view rule_id, const Origin& origin, std::string_view kind,
                       const api::ObjectMeta& meta, std::string_view field, std::string what,
                       std::string fix) {
  std::string path = origin.path;
  if (!path.empty() && !field.empty()) path += '.';
  path += field;
  const int line = streams_[origin.file]->nearest_line(origin.document, path);
  std::string place = fmt::format("{}:{}: {}/{}", names_[origin.file], line, kind, meta.name);
  if (!field.empty()) place += fmt::format(" {}", field);
  const Rule& of = rule(rule_id);
  findings_.push_back(
      {origin.file, line, {of.id, of.severity, std::move(place), std::move(what), std::move(fix)}});
}

std::vector<Finding> Manifests::take_findings() {
  std::ranges::stable_sort(findings_, [](const Placed& a, const Placed& b) {
    return std::tie(a.file, a.line, a.finding.id) < std::tie(b.file, b.line, b.finding.id);
  });
  std::vector<Finding> out;
  for (Placed& placed : findings_) out.push_back(std::move(placed.finding));
  findings_.clear();
  return out;
}

}  // namespace windlass::lint
