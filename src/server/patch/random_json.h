// Small random JSON values for properties: few keys and values, so that two of them have much in
// common.
#pragma once

#include <string>

#include <nlohmann/json.hpp>
#include <rapidcheck.h>

#include "base/json.h"

namespace windlass::server::patch {

inline rc::Gen<Json> random_json(int depth) {
  const rc::Gen<Json> scalar = rc::gen::element<Json>(nullptr, true, 0, 1, 2.5, "", "x", "y");
  if (depth == 0) return scalar;
  const rc::Gen<Json> list = rc::gen::exec([depth] {
    Json result = Json::array();
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) result.push_back(*random_json(depth - 1));
    return result;
  });
  const rc::Gen<Json> object = rc::gen::exec([depth] {
    Json result = Json::object();
    for (int i = *rc::gen::inRange(0, 4); i > 0; --i) {
      const std::string key = *rc::gen::element<std::string>("a", "b", "c/d", "e~f");
      result[key] = *random_json(depth - 1);
    }
    return result;
  });
  return rc::gen::weightedOneOf<Json>({{2, scalar}, {1, list}, {3, object}});
}

}  // namespace windlass::server::patch
