// Any text is manifests or findings; every object that was read can be written and read again, and
// is the same then; every finding can be put into a report.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include <nlohmann/json.hpp>

#include "api/object.h"
#include "base/assert.h"
#include "base/json.h"
#include "base/utf8.h"

namespace {

void check_findings(const std::vector<windlass::api::Finding>& findings) {
  for (const auto& finding : findings) {
    WL_ASSERT(windlass::invalid_utf8_at(finding.place) == std::string_view::npos);
    WL_ASSERT(windlass::invalid_utf8_at(finding.text) == std::string_view::npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)windlass::parse_json(text).ok();
  const windlass::api::Manifests manifests = windlass::api::read_manifests(text, "fuzz.yaml");
  check_findings(manifests.errors);
  check_findings(manifests.warnings);
  for (const auto& object : manifests.objects) {
    const windlass::Json written = windlass::api::encode(object);
    WL_ASSERT(!written.dump().empty());
    const auto again = windlass::api::decode(written);
    WL_ASSERT(again.ok());
    WL_ASSERT(windlass::api::encode(*again) == written);
  }
  return 0;
}
