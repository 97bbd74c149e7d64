// Labels that are looked at much and changed seldom: those of an object that outlives them, or own
// ones. A copy costs nothing; the first change makes them its own.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "api/meta.h"

namespace windlass::api {

class BorrowedLabels {
 public:
  BorrowedLabels() = default;
  BorrowedLabels(StringMap labels)  // NOLINT(google-explicit-constructor): as good as a StringMap
      : labels_(std::make_shared<const StringMap>(std::move(labels))) {}
  BorrowedLabels(std::initializer_list<StringMap::value_type> labels)
      : BorrowedLabels(StringMap(labels)) {}
  // `labels` must stay where and what they are.
  static BorrowedLabels of(const StringMap& labels) {
    BorrowedLabels out;
    out.labels_ = std::shared_ptr<const StringMap>(std::shared_ptr<const StringMap>(), &labels);
    return out;
  }

  [[nodiscard]] const StringMap& operator*() const { return labels_ ? *labels_ : kNone; }
  operator const StringMap&() const { return **this; }  // NOLINT(google-explicit-constructor)
  [[nodiscard]] auto begin() const { return (**this).begin(); }
  [[nodiscard]] auto end() const { return (**this).end(); }
  [[nodiscard]] auto find(const std::string& key) const { return (**this).find(key); }
  [[nodiscard]] const std::string& at(const std::string& key) const { return (**this).at(key); }

  StringMap& own() {
    auto mine = std::make_shared<StringMap>(**this);
    StringMap& out = *mine;
    labels_ = std::move(mine);
    return out;
  }

 private:
  inline static const StringMap kNone;
  std::shared_ptr<const StringMap> labels_;  // owns nothing where they are borrowed
};

}  // namespace windlass::api
