#include "server/rest/read.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "server/rest/base64_text.h"
#include "server/rest/json_access.h"

namespace windlass::server::rest {
namespace {

constexpr const char* kTokenExpired =
    "The provided continue parameter is too old to display a consistent list result. You can start "
    "a new list without the continue parameter, or use the continue token in this response to "
    "retrieve the remainder of the results. Continuing with the provided token results in an "
    "inconsistent list - objects that were created, modified, or deleted between the time the "
    "first "
    "chunk was returned and now may show up in the list.";

using Documents = std::vector<cluster::DocumentPtr>;

// The collection as it was at an earlier version, by taking the changes since then back; nullopt:
// that past is gone.
std::optional<Documents> past(const Core& core, const Target& target, uint64_t version) {
  const std::string& resource = target.resource->store_name;
  Documents now = core.store.list(resource, target.namespace_name);
  if (version >= core.store.resource_version()) return now;
  const auto changes = core.store.since(resource, version);
  if (!changes) return std::nullopt;
  if (changes->empty()) return now;
  std::map<cluster::ObjectKey, cluster::DocumentPtr> then;
  for (auto& document : now) then[document->key] = document;
  for (auto change = changes->rbegin(); change != changes->rend(); ++change) {
    const auto& key = change->object->key;
    if (!target.namespace_name.empty() && key.namespace_name != target.namespace_name) continue;
    if (change->before == nullptr) {
      then.erase(key);
    } else {
      then[key] = change->before;
    }
  }
  Documents out;
  out.reserve(then.size());
  for (auto& [key, document] : then) out.push_back(std::move(document));
  return out;
}

struct Page {
  size_t limit = SIZE_MAX;
  std::optional<cluster::ObjectKey> after;
  uint64_t version = 0;  // of the list's metadata
  bool exact = false;    // as of `version`, not of now
};

Outcome<Page> page_of(const Core& core, const Target& target, const Request& request) {
  Page page;
  const auto limit = number_parameter(request, "limit");
  if (!limit) return limit.fault();
  if (limit->value_or(0) > 0) page.limit = static_cast<size_t>(**limit);
  const auto asked = number_parameter(request, "resourceVersion");
  if (!asked) return asked.fault();
  const std::string match = request.parameter("resourceVersionMatch").value_or("");
  page.version = core.store.resource_version();
  if (const std::string token = request.parameter("continue").value_or(""); !token.empty()) {
    if (asked->value_or(0) > 0 || !match.empty()) {
      return bad_request("specifying resource version is not allowed when using continue");
    }
    auto read = read_token(token, target.resource->store_name);
    if (!read) return bad_request("continue key is not valid");
    page.after = read->after;
    if (read->resource_version > 0) {
      page.version = read->resource_version;
      page.exact = true;
    }
    return page;
  }
  if (!match.empty()) {
    if (match != "Exact" && match != "NotOlderThan") {
      return bad_request(
          fmt::format("resourceVersionMatch: Unsupported value: \"{}\": supported "
                      "values: \"Exact\", \"NotOlderThan\"",
                      match));
    }
    if (!*asked) {
      return bad_request("resourceVersionMatch is forbidden unless resourceVersion is provided");
    }
    if (match == "Exact" && **asked == 0) {
      return bad_request("resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
  }
  if (asked->value_or(0) == 0) return page;
  if (**asked > page.version) return version_too_large(**asked, page.version);
  // Without a match, a page from a version is exact and a whole list is at least as new.
  if (match == "Exact" || (match.empty() && page.limit != SIZE_MAX)) {
    page.version = **asked;
    page.exact = true;
  }
  return page;
}

Documents filtered(const Documents& all, const Selector& selector) {
  Documents out;
  for (const auto& document : all) {
    if (selector.matches(*document)) out.push_back(document);
  }
  return out;
}

}  // namespace

std::string write_token(const ContinueToken& token) {
  return base64_url(text_of(Json{{"v", "meta.k8s.io/v1"},
                                 {"rv", token.resource_version},
                                 {"ns", token.after.namespace_name},
                                 {"start", token.after.name}}));
}

std::optional<ContinueToken> read_token(std::string_view text, const std::string& resource) {
  const auto decoded = from_base64_url(text);
  if (!decoded) return std::nullopt;
  const auto parsed = parse_json(*decoded);
  if (!parsed.ok() || text_at(*parsed, "v") != "meta.k8s.io/v1") return std::nullopt;
  const auto version = integer_at(*parsed, "rv");
  if (!version || *version < 0) return std::nullopt;
  return ContinueToken{static_cast<uint64_t>(*version),
                       {resource, text_at(*parsed, "ns"), text_at(*parsed, "start")}};
}

Outcome<Selector> selector_of(const Request& request, const Resource& resource) {
  Selector selector;
  auto labels = parse_label_selector(request.parameter("labelSelector").value_or(""));
  if (!labels) return labels.fault();
  auto fields = parse_field_selector(request.parameter("fieldSelector").value_or(""), resource);
  if (!fields) return fields.fault();
  selector.labels = std::move(*labels);
  selector.fields = std::move(*fields);
  return selector;
}

Outcome<std::optional<uint64_t>> number_parameter(const Request& request, std::string_view name) {
  const std::string text = request.parameter(name).value_or("");
  if (text.empty()) return std::optional<uint64_t>{};
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) {
    return bad_request(fmt::format("{}: Invalid value: \"{}\": not a number", name, text));
  }
  return std::optional<uint64_t>{number};
}

Outcome<Response> get(const Core& core, const Target& target, const Request& request) {
  const auto view = view_of(request);
  if (!view) return view.fault();
  const auto version = number_parameter(request, "resourceVersion");
  if (!version) return version.fault();
  if (version->value_or(0) > core.store.resource_version()) {
    return version_too_large(**version, core.store.resource_version());
  }
  const auto document = core.store.find(target.key());
  if (document == nullptr) return not_found(target.subject());
  Response response;
  response.parts.push_back(render(core, target, *view, document));
  return response;
}

std::vector<cluster::DocumentPtr> matching(const Core& core, const Target& target,
                                           const Selector& selector) {
  const std::string name = selector.only_name();
  if (!name.empty() && (!target.namespace_name.empty() || !target.resource->namespaced)) {
    // The most frequent field selector needs no walk.
    const auto one = core.store.find({target.resource->store_name, target.namespace_name, name});
    return one != nullptr && selector.matches(*one) ? Documents{one} : Documents{};
  }
  return filtered(core.store.list(target.resource->store_name, target.namespace_name), selector);
}

Outcome<Response> list(const Core& core, const Target& target, const Request& request) {
  const auto view = view_of(request);
  if (!view) return view.fault();
  const auto selector = selector_of(request, *target.resource);
  if (!selector) return selector.fault();
  const auto page = page_of(core, target, request);
  if (!page) return page.fault();

  Documents documents;
  if (page->exact) {
    auto then = past(core, target, page->version);
    if (!then) {
      Fault fault = expired(page->after ? kTokenExpired
                                        : fmt::format("The resourceVersion for the provided list "
                                                      "is too old."));
      if (page->after) fault.continue_token = write_token({0, *page->after});
      return fault;
    }
    documents = filtered(*then, *selector);
  } else {
    documents = matching(core, target, *selector);
  }
  if (page->after) {
    const auto first = std::upper_bound(
        documents.begin(), documents.end(), *page->after,
        [](const cluster::ObjectKey& key, const auto& document) { return key < document->key; });
    documents.erase(documents.begin(), first);
  }
  Json metadata = {{"resourceVersion", std::to_string(page->version)}};
  if (documents.size() > page->limit) {
    const size_t remaining = documents.size() - page->limit;
    documents.resize(page->limit);
    metadata["continue"] = write_token({page->version, documents.back()->key});
    // With a selector Kubernetes doesn't know how many are left, and clients don't expect it.
    if (selector->empty()) metadata["remainingItemCount"] = remaining;
  }
  Response response;
  render_list(core, target, *view, documents, metadata, response);
  return response;
}

}  // namespace windlass::server::rest
