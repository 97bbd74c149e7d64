#include "cli/install_command.h"

#include <algorithm>
#include <iostream>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/yaml_writer.h"
#include "cli/embedded_text.h"
#include "cli/install_cluster.h"
#include "cli/plan_input.h"
#include "cli/run_config.h"
#include "server/kinds/kind_rules.h"
#include "server/kinds/names.h"

namespace windlass::cli {
namespace {

constexpr std::string_view kBaseNamespace = "windlass";
constexpr std::string_view kActRole = "windlass-act";

std::string_view source(std::string_view path) {
  const auto& all = install_sources();
  const auto found = std::ranges::find(all, path, &EmbeddedText::path);
  WL_ASSERT(found != all.end());
  return found->text;
}

void add_file(std::string_view path, std::vector<Json>& out) {
  const auto documents = parse_yaml(source(path));
  WL_ASSERT(documents.ok());
  for (const YamlDocument& document : *documents) out.push_back(*document.value);
}

// What base/kustomization.yaml lists, in its order.
std::vector<Json> base_objects() {
  const auto list = parse_yaml(source("base/kustomization.yaml"));
  WL_ASSERT(list.ok() && list->size() == 1);
  std::vector<Json> out;
  for (const Json& file : list->front().value->at("resources")) {
    add_file("base/" + file.get<std::string>(), out);
  }
  return out;
}

Status check(const InstallOptions& options) {
  if (const std::string fault = server::kinds::dns_label_fault(options.namespace_name);
      !fault.empty()) {
    return Error(fmt::format("--namespace: \"{}\": {}", options.namespace_name, fault));
  }
  const auto is_graphic = [](char c) { return c > ' ' && c < 0x7f; };
  if (!std::ranges::all_of(options.image, is_graphic)) {
    return Error(
        fmt::format("--image: {} is no image reference",
                    Json(options.image).dump(-1, ' ', true, Json::error_handler_t::replace)));
  }
  if (options.replicas < 0 || options.replicas > 100) {
    return Error(fmt::format("--replicas: {} is not from 0 to 100", options.replicas));
  }
  if (options.observe && options.take_over) {
    return Error("--observe changes nothing, --take-over does: give one of them");
  }
  if (options.without_crds && options.only_crds) {
    return Error("--without-crds and --only-crds leave nothing: give one of them");
  }
  return {};
}

void set_variable(Json& container, std::string_view name, const std::string& value) {
  for (Json& variable : container.at("env")) {
    if (variable.at("name") == name) variable["value"] = value;
  }
}

void adapt_deployment(const InstallOptions& options, Json& deployment) {
  Json& spec = deployment.at("spec");
  spec["replicas"] = options.replicas;
  Json& container = spec.at("template").at("spec").at("containers").at(0);
  if (!options.image.empty()) container["image"] = options.image;
  set_variable(container, "WINDLASS_CLOUD", options.cloud);
  set_variable(container, "WINDLASS_OBSERVE", options.observe ? "true" : "false");
}

void move_to_namespace(const std::string& name, Json& object) {
  Json& meta = object.at("metadata");
  if (meta.value("namespace", "") == kBaseNamespace) meta["namespace"] = name;
  if (object.at("kind") == "Namespace") meta["name"] = name;
  if (!object.contains("subjects")) return;
  for (Json& subject : object.at("subjects")) subject["namespace"] = name;
}

// The configuration given, or null where there is none to give. The simulated cloud keeps its
// instances where Windlass runs.
Result<Json> config_of(const InstallOptions& options) {
  Json config;
  if (!options.config.empty()) {
    RunOptions run;
    run.config = options.config;
    run.cloud = "simulated";  // what is said of the cloud here is not the file's matter
    if (const auto settled = settle(run); !settled.ok()) return settled.error();
    const auto text = read_file(options.config);
    if (!text.ok()) return text.error();
    const auto documents = parse_yaml(*text);
    if (!documents.ok()) return documents.error().in(options.config);
    config = *documents->front().value;
  }
  if (options.cloud == "simulated" && options.namespace_name != kBaseNamespace) {
    config["apiVersion"] = "windlass.dev/v1alpha1";
    config["kind"] = "Config";
    Json& place = config["simulated"];
    if (!place.contains("namespace")) place["namespace"] = options.namespace_name;
  }
  return config;
}

void add_config(const Json& config, std::vector<Json>& out) {
  const auto deployment =
      std::ranges::find(out, Json("Deployment"), [](const Json& object) { return object["kind"]; });
  WL_ASSERT(deployment != out.end());
  Json& pod = deployment->at("spec").at("template").at("spec");
  pod["volumes"] = {{{"name", "config"}, {"configMap", {{"name", "windlass"}}}}};
  Json& container = pod.at("containers").at(0);
  container["volumeMounts"] = {
      {{"name", "config"}, {"mountPath", "/etc/windlass"}, {"readOnly", true}}};
  container["env"].push_back({{"name", "WINDLASS_CONFIG"}, {"value", "/etc/windlass/config.yaml"}});
  // In braces alone insert() would take its fields for objects of their own.
  Json map{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", deployment->at("metadata")}};
  map["data"]["config.yaml"] = to_yaml(config);
  out.insert(deployment, std::move(map));
}

// Beside the Namespace and the CRDs, which come first.
std::vector<Json> own_objects(const InstallOptions& options, const Json& config,
                              const Present& present) {
  std::vector<Json> out = base_objects();
  if (options.cloud == "simulated" && !options.observe) {
    add_file("overlays/simulated/rbac_simulated_cloud.yaml", out);
  }
  if (options.take_over) add_file("components/take-over/rbac_take_over.yaml", out);
  if (options.service_monitor || present.service_monitors) {
    add_file("components/monitoring/service_monitor.yaml", out);
  }
  if (options.observe) {
    std::erase_if(out, [](const Json& object) { return object["metadata"]["name"] == kActRole; });
  }
  for (Json& object : out) {
    move_to_namespace(options.namespace_name, object);
    if (object.at("kind") == "Deployment") adapt_deployment(options, object);
  }
  if (!config.is_null()) add_config(config, out);
  return out;
}

}  // namespace

Result<std::vector<Json>> install_objects(const InstallOptions& options, const Present& present) {
  if (const Status good = check(options); !good.ok()) return good.error();
  std::vector<Json> out;
  if (!options.without_crds) {
    for (const Json& crd : server::kinds::built_in_crds()) {
      const std::string name = crd.at("metadata").at("name").get<std::string>();
      if (!present.crds.contains(name)) out.push_back(crd);
    }
  }
  if (options.only_crds) return out;
  const auto config = config_of(options);
  if (!config.ok()) return config.error();
  std::vector<Json> own = own_objects(options, *config, present);
  WL_ASSERT(!own.empty() && own.front().at("kind") == "Namespace");
  std::vector<Json> all{own.front()};
  std::ranges::move(out, std::back_inserter(all));
  all.insert(all.end(), own.begin() + 1, own.end());
  return all;
}

std::string install_text(const std::vector<Json>& objects, std::string_view output) {
  if (output == "json") {
    return Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", objects}}.dump(2) + "\n";
  }
  std::string out;
  for (const Json& object : objects) {
    if (!out.empty()) out += "---\n";
    out += to_yaml(object);
  }
  return out;
}

int run_install(const InstallOptions& options) {
  if (const Status good = check(options); !good.ok()) {
    std::cerr << "error: " << good.error().message() << "\n";
    return 2;
  }
  const auto present = options.offline ? Result<Present>(Present{}) : ask_cluster(options);
  if (!present.ok()) {
    std::cerr << "error: which CRDs the cluster has can't be asked: " << present.error().message()
              << "\n--offline prints all of them, --offline --without-crds none\n";
    return 1;
  }
  const auto objects = install_objects(options, *present);
  if (!objects.ok()) {
    std::cerr << "error: " << objects.error().message() << "\n";
    return 2;
  }
  if (options.cloud == "aws" && !options.only_crds) {
    std::cerr << "warning: EC2 is not driven yet: windlass run will refuse --cloud aws\n";
  }
  std::cout << install_text(*objects, options.output);
  return 0;
}

}  // namespace windlass::cli
