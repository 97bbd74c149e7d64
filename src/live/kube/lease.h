// A coordination.k8s.io/v1 Lease as leader election uses it: what of it says who leads, and how it
// is written. The rest of the object (labels, owners, what others put there) is kept as it came.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace windlass::live::kube {

// The election's record (spec). Times are texts: another's clock is only looked at for change.
struct LeaseRecord {
  std::string holder;  // empty: released
  int64_t duration_s = 0;
  std::string acquire_time, renew_time;
  int64_t transitions = 0;
  bool operator==(const LeaseRecord&) const = default;
};

struct Lease {
  std::shared_ptr<const Json> object;  // as the server sent it
  LeaseRecord record;
};

Result<Lease> read_lease(std::string_view body);
// The body that puts the record into the object; null: a new Lease of that name.
std::string write_lease(const std::shared_ptr<const Json>& object, const LeaseRecord& record,
                        std::string_view namespace_name, std::string_view name);
// metav1.MicroTime: "2026-03-01T00:00:00.000000Z", always six digits.
std::string micro_time(Instant t);

}  // namespace windlass::live::kube
