// Collects what is wrong with an object in the words of Kubernetes: reason, field and message as in
// Status.details.causes ("Required value", 'Invalid value: "x": ...'), which tools match.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "server/schema/schema.h"

namespace windlass::server::kinds {

// "spec.ports" + "[3]", "data" + "[key]".
std::string index(std::string_view path, size_t i);
std::string key(std::string_view path, std::string_view name);

class Faults {
 public:
  void required(std::string field, std::string_view detail = {});
  void invalid(std::string field, const Json& value, std::string_view detail);
  void not_supported(std::string field, const Json& value,
                     const std::vector<std::string_view>& supported);
  void forbidden(std::string field, std::string_view detail);
  void duplicate(std::string field, const Json& value);
  void not_found(std::string field, const Json& value);
  void too_long(std::string field, size_t bytes_max);

  // Checks that recur. Each does nothing where the value is absent.
  void non_negative(std::string field, const Json& value);
  void one_of(std::string field, const Json& value, const std::vector<std::string_view>& supported);
  // `message` as the functions of names.h give it; "": fine.
  void check(std::string field, const Json& value, std::string_view message);
  void immutable(std::string field, const Json& before, const Json& after);

  [[nodiscard]] size_t size() const { return found_.size(); }
  std::vector<schema::FieldFault> take() { return std::move(found_); }

 private:
  void add(std::string_view reason, std::string field, std::string message,
           std::string_view detail);
  std::vector<schema::FieldFault> found_;
};

}  // namespace windlass::server::kinds
