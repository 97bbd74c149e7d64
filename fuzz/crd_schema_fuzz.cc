// A CRD's schema (the first line) and an object (the rest): read, defaulted and validated, or
// refused. A first line that is no JSON is taken for a CEL rule over the object.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "server/schema/cel.h"
#include "server/schema/schema.h"

namespace schema = windlass::server::schema;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t line = bytes.find('\n');
  auto object = windlass::parse_json(line == bytes.npos ? "{}" : bytes.substr(line + 1));
  if (!object.ok()) return 0;
  const auto written = windlass::parse_json(bytes.substr(0, line));
  if (!written.ok()) {
    const auto program = schema::cel::compile(bytes.substr(0, line));
    int64_t budget = 10'000;
    if (program.ok()) (void)schema::cel::evaluate(*program, *object, &*object, budget);
    return 0;
  }
  const auto crd = schema::read_crd_schema(*written);
  if (!crd.ok()) return 0;
  schema::unsupported_rules(*crd->root);
  schema::prune(*crd->root, *object);
  schema::apply_defaults(*crd->root, *object);
  WL_ASSERT(!object->is_object() || schema::unknown_fields(*crd->root, *object).empty());
  schema::validate(*crd->root, *object, &*object);
  const schema::PublishedKind kind{"Kind", "kinds", true, true, false, crd->root};
  schema::open_api_v3("example.com", "v1", {kind});
  schema::open_api_v2_protobuf({{"example.com/v1", {kind}}});
  return 0;
}
