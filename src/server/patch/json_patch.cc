// RFC 6902. The patch is one unit: it works on a copy, so a failed operation leaves nothing behind.
#include <algorithm>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/utf8.h"
#include "server/patch/json_pointer.h"
#include "server/patch/patch.h"

namespace windlass::server::patch {
namespace {

// What a hostile patch could otherwise do: `copy` of a value into itself doubles the document with
// every operation, and nests it. Documents are at most 3 MiB on the way in, as in Kubernetes.
constexpr size_t kMaxOperations = 10'000;
constexpr size_t kMaxCopiedBytes = size_t{3} << 20;
constexpr size_t kMaxDepth = 256;

using Steps = std::vector<std::string>;

// How deep a value nests; a scalar is 0. No value reaches here that is deeper than kMaxDepth.
size_t depth_of(const Json& value) {
  if (!value.is_structured()) return 0;
  size_t deepest = 0;
  for (const Json& child : value) deepest = std::max(deepest, depth_of(child));
  return deepest + 1;
}

// About as many bytes as the value takes when printed.
size_t size_of(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>().size() + 2;
  size_t bytes = 8;
  if (value.is_object()) {
    for (const auto& [key, child] : value.items()) bytes += key.size() + 4 + size_of(child);
  } else if (value.is_array()) {
    for (const Json& child : value) bytes += size_of(child);
  }
  return bytes;
}

Status add(Json& document, const Steps& path, Json value) {
  if (path.size() + depth_of(value) > kMaxDepth) {
    return Error(fmt::format("the result would nest more than {} deep", kMaxDepth));
  }
  if (path.empty()) {
    document = std::move(value);
    return {};
  }
  const Result<Json*> parent = walk_pointer(document, path, path.size() - 1);
  if (!parent) return parent.error();
  Json& holder = **parent;
  const std::string& last = path.back();
  if (holder.is_object()) {
    holder[last] = std::move(value);
  } else if (!holder.is_array()) {
    return Error(fmt::format("a {} has no members", holder.type_name()));
  } else if (last == "-") {
    holder.push_back(std::move(value));
  } else {
    const Result<size_t> index = array_index(last, holder.size());
    if (!index) return index.error();
    holder.insert(holder.begin() + static_cast<ptrdiff_t>(*index), std::move(value));
  }
  return {};
}

Result<Json> take(Json& document, const Steps& path) {
  const Result<Json*> found = walk_pointer(document, path, path.size());
  if (!found) return found.error();
  Json taken = std::move(**found);
  if (path.empty()) {
    document = nullptr;
    return taken;
  }
  Json& holder = **walk_pointer(document, path, path.size() - 1);
  if (holder.is_object()) {
    holder.erase(path.back());
  } else {
    const size_t index = *array_index(path.back(), holder.size());
    holder.erase(holder.begin() + static_cast<ptrdiff_t>(index));
  }
  return taken;
}

struct Operation {
  std::string name;
  Steps path;
  std::optional<Steps> from;
  const Json* value = nullptr;
};

Result<Operation> read_operation(const Json& json) {
  if (!json.is_object()) return Error("not an object");
  const auto text = [&](const char* key) -> const std::string* {
    const auto found = json.find(key);
    return found != json.end() && found->is_string() ? &found->get_ref<const std::string&>()
                                                     : nullptr;
  };
  Operation operation;
  const std::string* const name = text("op");
  if (name == nullptr) return Error("\"op\" is missing or no string");
  operation.name = *name;
  const std::string* const path = text("path");
  if (path == nullptr) return Error(fmt::format("{}: \"path\" is missing", printable(*name, 40)));
  Result<Steps> steps = parse_pointer(*path);
  if (!steps) return steps.error().in("path");
  operation.path = *std::move(steps);
  if (const auto value = json.find("value"); value != json.end()) operation.value = &*value;
  if (*name == "move" || *name == "copy") {
    const std::string* const from = text("from");
    if (from == nullptr) return Error(*name + ": \"from\" is missing");
    Result<Steps> from_steps = parse_pointer(*from);
    if (!from_steps) return from_steps.error().in("from");
    operation.from = *std::move(from_steps);
  } else if ((*name == "add" || *name == "replace" || *name == "test") && !operation.value) {
    return Error(*name + ": \"value\" is missing");
  }
  return operation;
}

Status move_value(Json& document, const Operation& operation) {
  const Steps& from = *operation.from;
  if (from == operation.path) {
    const Result<Json*> found = walk_pointer(document, from, from.size());
    return found ? Status() : Status(found.error().in("from"));
  }
  if (from.size() < operation.path.size() &&
      std::equal(from.begin(), from.end(), operation.path.begin())) {
    return Error("a value can't be moved into itself");
  }
  Result<Json> taken = take(document, from);
  if (!taken) return taken.error().in("from");
  return add(document, operation.path, *std::move(taken));
}

Status copy_value(Json& document, const Operation& operation, size_t& copied) {
  const Result<Json*> source = walk_pointer(document, *operation.from, operation.from->size());
  if (!source) return source.error().in("from");
  copied += size_of(**source);
  if (copied > kMaxCopiedBytes) {
    return Error(fmt::format("the patch copies more than {} bytes", kMaxCopiedBytes));
  }
  return add(document, operation.path, Json(**source));
}

Status run(Json& document, const Operation& operation, size_t& copied) {
  const std::string& name = operation.name;
  if (name == "add") return add(document, operation.path, *operation.value);
  if (name == "move") return move_value(document, operation);
  if (name == "copy") return copy_value(document, operation, copied);
  if (name == "remove") {
    const Result<Json> taken = take(document, operation.path);
    return taken ? Status() : Status(taken.error());
  }
  if (name != "replace" && name != "test") return Error("unknown operation");
  const Result<Json*> target = walk_pointer(document, operation.path, operation.path.size());
  if (!target) return target.error();
  if (name == "test") {
    return **target == *operation.value ? Status() : Status(Error("the value is another one"));
  }
  if (operation.path.size() + depth_of(*operation.value) > kMaxDepth) {
    return Error(fmt::format("the result would nest more than {} deep", kMaxDepth));
  }
  **target = *operation.value;
  return {};
}

}  // namespace

Result<Json> json_patch(const Json& object, const Json& operations) {
  if (!operations.is_array()) return Error("a JSON patch is an array of operations");
  if (operations.size() > kMaxOperations) {
    return Error(fmt::format("{} operations; at most {} are allowed in a JSON patch",
                             operations.size(), kMaxOperations));
  }
  Json document = object;
  size_t copied = 0;
  for (size_t i = 0; i < operations.size(); ++i) {
    const Result<Operation> operation = read_operation(operations[i]);
    if (!operation) return operation.error().in(fmt::format("operation {}", i));
    const Status done = run(document, *operation, copied);
    if (!done) {
      const auto& path = operations[i].at("path").get_ref<const std::string&>();
      return done.error().in(fmt::format("operation {}: {} \"{}\"", i,
                                         printable(operation->name, 40), printable(path, 160)));
    }
  }
  return document;
}

}  // namespace windlass::server::patch
