// Small shapes, made in a line, for tests that need no built-in kind.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/schema/shape.h"

namespace windlass::server::patch {

// Owns the shapes it makes.
class Shapes {
 public:
  schema::Shape* add(schema::Kind kind) {
    shapes_.push_back(std::make_unique<schema::Shape>());
    shapes_.back()->kind = kind;
    return shapes_.back().get();
  }
  const schema::Shape* object(std::vector<std::pair<std::string, const schema::Shape*>> members) {
    schema::Shape* const shape = add(schema::Kind::kObject);
    std::sort(members.begin(), members.end());
    for (const auto& [name, member] : members) {
      schema::Field field;
      field.name = name;
      field.shape = member;
      shape->fields.push_back(std::move(field));
    }
    return shape;
  }
  const schema::Shape* list(const schema::Shape* element, schema::ListType type,
                            std::vector<std::string> keys = {}) {
    schema::Shape* const shape = add(schema::Kind::kList);
    shape->element = element;
    shape->list_type = type;
    shape->list_map_keys = std::move(keys);
    return shape;
  }

 private:
  std::vector<std::unique_ptr<schema::Shape>> shapes_;
};

}  // namespace windlass::server::patch
