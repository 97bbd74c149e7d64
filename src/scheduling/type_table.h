// One catalogue made ready for a solve: which types meet a requirement, which have an available
// offering, what fits them. Answers are kept, since the same few requirements come back with every
// pod and claim.
#pragma once

#include <deque>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "api/requirements.h"
#include "catalog/catalog.h"
#include "scheduling/amounts.h"
#include "scheduling/type_set.h"

namespace windlass::scheduling {

class TypeTable {
 public:
  TypeTable(const catalog::Catalog& catalog, const ResourceColumns& columns);

  [[nodiscard]] const catalog::Catalog& catalog() const { return *catalog_; }
  [[nodiscard]] size_t size() const { return catalog_->types.size(); }
  [[nodiscard]] const catalog::InstanceType& type(size_t i) const { return catalog_->types[i]; }
  [[nodiscard]] AmountsView allocatable(size_t i) const {
    return {allocatable_.data() + i * columns_, columns_};
  }
  // Types anything could run on: those with no negative allocatable.
  [[nodiscard]] const TypeSet& usable() const { return usable_; }

  // Types whose own requirement on the key, if any, intersects this one.
  const TypeSet& matching(const std::string& key, const api::Requirement& requirement);
  // Types that match every key.
  TypeSet matching(const api::Requirements& requirements);
  // Types with an available offering in an allowed zone and of an allowed capacity type.
  [[nodiscard]] TypeSet offered(const api::Requirements& requirements) const;

 private:
  const catalog::Catalog* catalog_;
  size_t columns_;
  std::vector<int64_t> allocatable_;  // one row a type
  TypeSet usable_;
  std::map<std::pair<std::string, std::string>, TypeSet> offerings_;  // by zone, capacity type
  // Deques: an answer stays where it is when more come.
  std::map<std::string, std::deque<std::pair<api::Requirement, TypeSet>>> known_;
};

}  // namespace windlass::scheduling
