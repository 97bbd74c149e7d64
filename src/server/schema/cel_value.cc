#include "server/schema/cel_value.h"

#include <nlohmann/json.hpp>

namespace windlass::server::schema::cel {

Value Value::of(Json value) {
  return {Type::kJson, std::make_shared<const Json>(std::move(value)), 0, {}};
}
Value Value::borrowed(const Json& value, std::shared_ptr<const Json> owner) {
  return {Type::kJson, std::shared_ptr<const Json>(std::move(owner), &value), 0, {}};
}
Value Value::duration(int64_t ns) { return {Type::kDuration, nullptr, ns, {}}; }
Value Value::time(int64_t ns) { return {Type::kTime, nullptr, ns, {}}; }
Value Value::failed(std::string message) { return {Type::kError, nullptr, 0, std::move(message)}; }

const std::string* Value::text() const {
  return is_json() ? json->get_ptr<const std::string*>() : nullptr;
}
bool Value::is_list() const { return is_json() && json->is_array(); }
bool Value::is_map() const { return is_json() && json->is_object(); }
bool Value::is_bool() const { return is_json() && json->is_boolean(); }
bool Value::is_whole() const { return is_json() && json->is_number_integer(); }
bool Value::is_number() const { return is_json() && json->is_number(); }

}  // namespace windlass::server::schema::cel
