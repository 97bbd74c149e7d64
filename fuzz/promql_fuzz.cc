// Any bytes as a query: reading them must end in a query or an error, and what reads must evaluate
// over a small store without a fault, to the same answer twice.
#include <cmath>
#include <cstdint>
#include <limits>

#include "sim/prometheus/promql.h"

namespace {

using namespace windlass;
using namespace windlass::sim::prometheus;

constexpr Instant kNow{1'700'000'000'000'000'000};

// Short names, so that the fuzzer finds them: gauges a and b, a histogram h.
Store make_store() {
  Store store;
  for (int i = 0; i < 6; ++i) {
    const Labels labels{{"__name__", i % 2 == 0 ? "a" : "b"}, {"x", std::to_string(i / 2)}};
    const SeriesId id = store.series(labels);
    for (int k = 30; k >= 0; --k) {
      const double odd = i == 4 ? std::numeric_limits<double>::infinity() : std::nan("");
      store.append(id, kNow - seconds(15 * k), k % 7 == 3 && i > 3 ? odd : k * i);
    }
    if (i == 5) store.mark_stale(id, kNow);
  }
  for (const char* le : {"1", "2", "+Inf", "x"}) {
    store.append(store.series({{"__name__", "h"}, {"le", le}}), kNow, 5);
  }
  return store;
}

bool same(const Value& left, const Value& right) {
  const auto same_number = [](double a, double b) { return a == b || (a != a && b != b); };
  if (left.index() != right.index()) return false;
  if (const double* scalar = std::get_if<double>(&left)) {
    return same_number(*scalar, std::get<double>(right));
  }
  const auto& a = std::get<InstantVector>(left);
  const auto& b = std::get<InstantVector>(right);
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].labels != b[i].labels || !same_number(a[i].value, b[i].value)) return false;
    if (i > 0 && !(a[i - 1].labels < a[i].labels)) return false;  // sorted, no two alike
  }
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static const Store kStore = make_store();
  const auto query = parse_promql({reinterpret_cast<const char*>(data), size});
  if (!query) {
    WL_ASSERT(!query.error().message().empty());
    return 0;
  }
  const auto first = evaluate(*query, kStore, kNow);
  const auto second = evaluate(*query, kStore, kNow);
  WL_ASSERT(first.ok() == second.ok());
  if (first) WL_ASSERT(same(*first, *second));
  return 0;
}
