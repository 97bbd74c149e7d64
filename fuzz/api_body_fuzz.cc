// Bodies of API requests: any bytes are decoded, checked and pruned, or refused.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "server/schema/schema.h"

namespace schema = windlass::server::schema;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  schema::duplicate_fields(bytes);
  // The envelope is short work for a person and long work for a fuzzer: half of the bodies get one.
  std::string body(bytes);
  if (size > 0 && data[0] % 2 == 1) {
    static const std::string_view kKinds[] = {"\x02v1\x12\x03Pod",
                                              "\x02v1\x12\x07"
                                              "Secret",
                                              "\x07"
                                              "apps/v1\x12\x0A"
                                              "Deployment"};
    const std::string_view kind = kKinds[data[0] / 2 % 3];
    const std::string meta = "\x0A" + std::string(kind);
    body = std::string("k8s\0\x0A", 5) + static_cast<char>(meta.size()) + meta;
    const std::string raw(bytes.substr(1, 120));
    body += std::string("\x12") + static_cast<char>(raw.size()) + raw;
  }
  auto decoded = schema::decode_protobuf(body);
  if (!decoded.ok()) decoded = windlass::parse_json(bytes);
  if (!decoded.ok()) return 0;
  for (const char* kind : {"Pod", "Secret", "Node"}) {
    const schema::Shape& shape = *schema::built_in("", "v1", kind);
    windlass::Json object = *decoded;
    schema::type_fault(shape, object);
    schema::prune(shape, object);
    WL_ASSERT(schema::unknown_fields(shape, object).empty());
  }
  WL_ASSERT(!decoded->dump().empty());
  return 0;
}
