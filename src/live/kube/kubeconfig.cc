#include "live/kube/kubeconfig.h"

#include <algorithm>
#include <filesystem>
#include <map>

#include <nlohmann/json.hpp>

#include "api/base64.h"
#include "base/json.h"
#include "base/text.h"
#include "base/utf8.h"
#include "live/kube/files.h"

namespace windlass::live::kube {

namespace {

constexpr std::string_view kExecV1 = "client.authentication.k8s.io/v1";
constexpr std::string_view kExecV1Beta1 = "client.authentication.k8s.io/v1beta1";
constexpr std::string_view kExecExtension = "client.authentication.k8s.io/exec";

// A cluster, user or context and where it was found.
struct Entry {
  Json value = Json::object();
  std::string file;
  std::string place;  // "users[alice].user"
};

struct Kubeconfig {
  std::map<std::string, Entry> clusters, users, contexts;
  std::string current_context;
  std::string current_context_file;
};

std::string names_of(const std::map<std::string, Entry>& entries) {
  std::vector<std::string> names;
  names.reserve(entries.size());
  for (const auto& [name, entry] : entries) names.push_back(name);
  return names.empty() ? "there are none" : "there are: " + join(names, ", ");
}

// Reads fields of one entry; the first thing wrong is kept.
class Fields {
 public:
  Fields(const Entry& entry, std::optional<Error>& error) : entry_(entry), error_(error) {}
  [[nodiscard]] Fields in(const Json& value, const std::string& below, Entry& room) const {
    room = {value, entry_.file, entry_.place + below};
    return {room, error_};
  }

  [[nodiscard]] const Json* find(const char* key) const {
    const auto found = entry_.value.find(key);
    return found == entry_.value.end() || found->is_null() ? nullptr : &*found;
  }
  std::string text(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return {};
    if (value->is_string()) return value->get<std::string>();
    fail(key, "must be a string");
    return {};
  }
  bool flag(const char* key) {
    const Json* value = find(key);
    if (value == nullptr) return false;
    if (value->is_boolean()) return value->get<bool>();
    fail(key, "must be true or false");
    return false;
  }
  std::string path(const char* key) {
    const std::string value = text(key);
    return value.empty() ? value : resolved(value);
  }
  // The PEM text in "KEY-data" or in the file that "KEY" names.
  std::string pem(const std::string& key) {
    const std::string data_key = key + "-data";
    std::string used = data_key;
    std::string out;
    if (const std::string data = text(data_key.c_str()); !data.empty()) {
      std::optional<std::string> decoded = api::from_base64(data);
      if (!decoded) return fail(data_key, "is not base64");
      out = std::move(*decoded);
    } else if (const std::string file = path(key.c_str()); !file.empty()) {
      Result<std::string> read = read_file(file);
      if (!read) return fail(key, read.error().message());
      out = std::move(*read);
      used = key;
    } else {
      return out;
    }
    if (out.find("-----BEGIN ") == std::string::npos) return fail(used, "holds no PEM");
    return out;
  }
  // Absolute, so that a plugin beside the file isn't taken for a name to be found in PATH.
  [[nodiscard]] std::string resolved(const std::string& path) const {
    std::error_code failed;
    const auto file = std::filesystem::absolute(entry_.file, failed);
    return (file.parent_path() / path).lexically_normal().string();
  }
  std::string fail(const std::string& key, const std::string& what) {
    if (!error_) error_ = Error(entry_.file + ": " + entry_.place + "." + key + ": " + what);
    return {};
  }

 private:
  const Entry& entry_;
  std::optional<Error>& error_;
};

// [{name: a, cluster: {...}}, ...]
Status merge_list(const Json& document, const std::string& file, const char* list_key,
                  const char* value_key, std::map<std::string, Entry>& into) {
  const auto list = document.find(list_key);
  if (list == document.end() || list->is_null()) return {};
  const std::string place = file + ": " + list_key;
  if (!list->is_array()) return Error(place + ": must be a list");
  for (size_t i = 0; i < list->size(); ++i) {
    const Json& item = (*list)[i];
    const std::string here = "[" + std::to_string(i) + "]";
    if (!item.is_object()) return Error(place + here + ": must be an object");
    const auto name = item.find("name");
    if (name == item.end() || !name->is_string()) {
      return Error(place + here + ".name: must be a string");
    }
    Entry entry;
    entry.file = file;
    const auto text = name->get<std::string>();
    entry.place = std::string(list_key) + "[" + printable(text, 100) + "]." + value_key;
    if (const auto value = item.find(value_key); value != item.end() && !value->is_null()) {
      if (!value->is_object()) return Error(file + ": " + entry.place + ": must be an object");
      entry.value = *value;
    }
    into.emplace(text, std::move(entry));  // the first one stays
  }
  return {};
}

Status merge_file(const std::string& file, Kubeconfig& into) {
  const Result<std::string> text = read_file(file);
  if (!text) return text.error();
  const auto documents = parse_yaml(*text);
  if (!documents) {
    // Only the place: the words may quote what stands there.
    const std::string& why = documents.error().message();
    return Error(file + ": " + why.substr(0, why.find(": ")) + ": not valid YAML");
  }
  if (documents->empty()) return {};
  const Json& document = *documents->front().value;
  if (!document.is_object()) return Error(file + ": is no kubeconfig");
  if (Status s = merge_list(document, file, "clusters", "cluster", into.clusters); !s) return s;
  if (Status s = merge_list(document, file, "users", "user", into.users); !s) return s;
  if (Status s = merge_list(document, file, "contexts", "context", into.contexts); !s) return s;
  const auto current = document.find("current-context");
  if (current == document.end() || current->is_null()) return {};
  if (!current->is_string()) return Error(file + ": current-context: must be a string");
  if (into.current_context.empty()) {
    into.current_context = current->get<std::string>();
    into.current_context_file = file;
  }
  return {};
}

bool is_url(std::string_view text, std::initializer_list<std::string_view> schemes) {
  const bool known = std::any_of(schemes.begin(), schemes.end(),
                                 [&](std::string_view scheme) { return text.starts_with(scheme); });
  return known && text.find_first_of("?# \t\r\n") == std::string_view::npos;
}

void read_cluster(Fields fields, Access& access) {
  access.server = fields.text("server");
  while (access.server.ends_with('/')) access.server.pop_back();
  if (access.server.empty()) {
    fields.fail("server", "is missing");
  } else if (!is_url(access.server, {"http://", "https://"})) {
    fields.fail("server", "must be an http:// or https:// URL");
  }
  access.tls.ca = fields.pem("certificate-authority");
  access.tls.server_name = fields.text("tls-server-name");
  access.tls.skip_verify = fields.flag("insecure-skip-tls-verify");
  if (access.tls.skip_verify && !access.tls.ca.empty()) {
    fields.fail("insecure-skip-tls-verify", "can't be true beside a certificate authority");
  }
  access.proxy = fields.text("proxy-url");
  if (!access.proxy.empty() &&
      !is_url(access.proxy, {"http://", "https://", "socks5://", "socks5h://"})) {
    fields.fail("proxy-url", "must be an http://, https:// or socks5:// URL");
  }
}

// What a plugin is told about the cluster when it asks for that.
std::string cluster_info(const Entry& cluster, const Access& access) {
  Json info = {{"server", access.server}};
  if (!access.tls.server_name.empty()) info["tls-server-name"] = access.tls.server_name;
  if (access.tls.skip_verify) info["insecure-skip-tls-verify"] = true;
  if (!access.tls.ca.empty()) {
    info["certificate-authority-data"] = api::to_base64(access.tls.ca);
  }
  if (!access.proxy.empty()) info["proxy-url"] = access.proxy;
  const auto extensions = cluster.value.find("extensions");
  if (extensions != cluster.value.end() && extensions->is_array()) {
    for (const Json& item : *extensions) {
      if (item.is_object() && item.value("name", Json()) == Json(kExecExtension)) {
        info["config"] = item.value("extension", Json());
      }
    }
  }
  return info.dump(-1, ' ', false, Json::error_handler_t::replace);
}

void read_environment(Fields& fields, ExecPlugin& plugin) {
  const Json* list = fields.find("env");
  if (list == nullptr) return;
  if (!list->is_array()) {
    fields.fail("env", "must be a list");
    return;
  }
  for (const Json& item : *list) {
    const auto text = [&](const char* key) -> const Json* {
      const auto found = item.is_object() ? item.find(key) : item.end();
      return item.is_object() && found != item.end() && found->is_string() ? &*found : nullptr;
    };
    if (text("name") == nullptr || text("value") == nullptr) {
      fields.fail("env", "needs a name and a value, both strings, in every item");
      return;
    }
    plugin.environment.emplace_back(text("name")->get<std::string>(),
                                    text("value")->get<std::string>());
  }
}

void read_arguments(Fields& fields, ExecPlugin& plugin) {
  const Json* list = fields.find("args");
  if (list == nullptr) return;
  const auto is_text = [](const Json& item) { return item.is_string(); };
  if (!list->is_array() || !std::all_of(list->begin(), list->end(), is_text)) {
    fields.fail("args", "must be a list of strings");
    return;
  }
  plugin.arguments = list->get<std::vector<std::string>>();
}

ExecPlugin read_exec(Fields fields, const Entry& cluster, const Access& access) {
  ExecPlugin plugin;
  plugin.api_version = fields.text("apiVersion");
  if (plugin.api_version != kExecV1 && plugin.api_version != kExecV1Beta1) {
    fields.fail("apiVersion", "must be " + std::string(kExecV1) + " or v1beta1");
  }
  plugin.command = fields.text("command");
  if (plugin.command.empty()) fields.fail("command", "is missing");
  // A bare name is looked for in PATH.
  if (plugin.command.find('/') != std::string::npos) {
    plugin.command = fields.resolved(plugin.command);
  }
  read_arguments(fields, plugin);
  read_environment(fields, plugin);
  plugin.install_hint = printable(fields.text("installHint"), 1000);
  plugin.provide_cluster_info = fields.flag("provideClusterInfo");
  if (plugin.provide_cluster_info) plugin.cluster_info = cluster_info(cluster, access);
  const std::string mode = fields.text("interactiveMode");
  if (mode == "Always") {
    fields.fail("interactiveMode", "is Always, but nobody is there to answer the plugin");
  } else if (mode.empty() ? plugin.api_version == kExecV1
                          : mode != "Never" && mode != "IfAvailable") {
    fields.fail("interactiveMode", "must be Never, IfAvailable or Always");
  }
  return plugin;
}

void read_user(Fields fields, const Entry& cluster, Access& access) {
  for (const char* key : {"as", "as-uid", "as-groups", "as-user-extra"}) {
    if (fields.find(key) != nullptr) fields.fail(key, "impersonation is not supported");
  }
  if (fields.find("auth-provider") != nullptr) {
    fields.fail("auth-provider", "is no longer supported by Kubernetes; use exec");
  }
  access.tls.certificate = fields.pem("client-certificate");
  access.tls.key = fields.pem("client-key");
  if (access.tls.certificate.empty() != access.tls.key.empty()) {
    fields.fail(access.tls.key.empty() ? "client-key" : "client-certificate",
                "is missing: certificate and key go together");
  }
  access.token = fields.text("token");
  access.token_file = fields.path("tokenFile");
  if (!access.token_file.empty()) access.token.clear();  // the file is the fresher one
  access.username = fields.text("username");
  access.password = fields.text("password");
  const bool has_token = !access.token.empty() || !access.token_file.empty();
  if (has_token && !access.username.empty()) {
    fields.fail("username", "can't be set beside a token");
  }
  const Json* exec = fields.find("exec");
  if (exec == nullptr) return;
  if (!exec->is_object()) {
    fields.fail("exec", "must be an object");
    return;
  }
  Entry room;
  ExecPlugin plugin = read_exec(fields.in(*exec, ".exec", room), cluster, access);
  // As in client-go, what is written down goes before what would have to be asked for.
  if (!has_token && access.username.empty()) access.exec = std::move(plugin);
}

}  // namespace

Result<Access> access_from_kubeconfig(const std::vector<std::string>& files,
                                      const std::string& context) {
  Kubeconfig config;
  for (const std::string& file : files) {
    if (Status merged = merge_file(file, config); !merged) return merged.error();
  }
  const std::string all_files = join(files, ", ");
  const std::string& name = context.empty() ? config.current_context : context;
  if (name.empty()) {
    return Error(all_files + ": current-context: not set; name a context (" +
                 names_of(config.contexts) + ")");
  }
  const auto chosen = config.contexts.find(name);
  if (chosen == config.contexts.end()) {
    const std::string where = context.empty() ? config.current_context_file : all_files;
    return Error(where + ": " + (context.empty() ? "current-context" : "contexts") + ": \"" +
                 printable(name, 100) + "\" is not there; " + names_of(config.contexts));
  }

  std::optional<Error> error;
  Fields fields(chosen->second, error);
  Access access;
  access.source = "context \"" + printable(name, 100) + "\" of " + chosen->second.file;
  if (const std::string space = fields.text("namespace"); !space.empty()) {
    access.namespace_name = space;
  }
  const std::string cluster_name = fields.text("cluster");
  const std::string user_name = fields.text("user");
  const auto cluster = config.clusters.find(cluster_name);
  const auto user = config.users.find(user_name);
  if (cluster == config.clusters.end()) {
    fields.fail("cluster", "\"" + printable(cluster_name, 100) + "\" is not there; " +
                               names_of(config.clusters));
  } else if (!user_name.empty() && user == config.users.end()) {
    fields.fail("user",
                "\"" + printable(user_name, 100) + "\" is not there; " + names_of(config.users));
  }
  if (error) return *error;
  read_cluster(Fields(cluster->second, error), access);
  if (user != config.users.end()) {
    read_user(Fields(user->second, error), cluster->second, access);
  }
  if (error) return *error;
  return access;
}

}  // namespace windlass::live::kube
