// Which labels of an element count, as keys for grouping and matching and as label sets of results.
#include <algorithm>
#include <unordered_set>

#include <fmt/format.h>

#include "sim/prometheus/evaluation.h"

namespace windlass::sim::prometheus {
namespace {

// The length in front keeps ("ab", "c") and ("a", "bc") apart, whatever bytes a value holds.
void append_part(std::string_view part, std::string& key) {
  uint64_t length = part.size();
  for (; length >= 0x80; length >>= 7) key.push_back(static_cast<char>(0x80 | (length & 0x7f)));
  key.push_back(static_cast<char>(length));
  key.append(part);
}

bool counts(const LabelSubset& subset, const std::string& label) {
  const bool listed = std::ranges::binary_search(subset.names, label);
  return subset.listed_only ? listed : !listed && label != kMetricName;
}

}  // namespace

// A dropped name is hidden, not erased: the labels belong to the store.
std::string_view label_value(const Element& element, std::string_view name) {
  if (element.nameless && name == kMetricName) return {};
  const auto at = element.labels->find(std::string(name));
  return at == element.labels->end() ? std::string_view() : at->second;
}

void append_key(const Element& element, const LabelSubset& subset, std::string& key) {
  if (subset.listed_only) {
    // An absent label equals an empty one, so the values alone tell elements apart.
    for (const std::string& name : subset.names) append_part(label_value(element, name), key);
    return;
  }
  for (const auto& [label, value] : *element.labels) {
    if (value.empty() || !counts(subset, label)) continue;
    append_part(label, key);
    append_part(value, key);
  }
}

Labels reduce(const Element& element, const LabelSubset& subset) {
  Labels out;
  for (const auto& [label, value] : *element.labels) {
    if (value.empty() || !counts(subset, label)) continue;
    if (element.nameless && label == kMetricName) continue;
    out.emplace_hint(out.end(), label, value);
  }
  return out;
}

Labels labels_of(const Element& element) {
  Labels out = *element.labels;
  if (element.nameless) out.erase(std::string(kMetricName));
  return out;
}

std::string to_string(const Labels& labels) {
  std::string inner;
  std::string name;
  for (const auto& [label, value] : labels) {
    if (label == kMetricName) {
      name = value;
      continue;
    }
    inner += fmt::format("{}{}=\"{}\"", inner.empty() ? "" : ", ", label, value);
  }
  return name + "{" + inner + "}";
}

// Costs a key for each element, so callers ask only where two could be alike.
Status check_unique(const Vector& vector) {
  std::unordered_set<std::string> seen;
  for (const Element& element : vector.elements) {
    std::string key;
    append_part(label_value(element, kMetricName), key);
    append_key(element, LabelSubset{}, key);
    if (seen.insert(std::move(key)).second) continue;
    return Error(
        fmt::format("the result cannot contain series with the same labels: {} stands "
                    "there twice",
                    to_string(labels_of(element))));
  }
  return {};
}

Result<Vector> without_names(Vector vector) {
  for (Element& element : vector.elements) element.nameless = true;
  if (!vector.unique_without_name) {
    if (const Status unique = check_unique(vector); !unique) return unique.error();
    vector.unique_without_name = true;
  }
  return vector;
}

}  // namespace windlass::sim::prometheus
