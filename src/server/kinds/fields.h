// Reading JSON objects of the API without surprises: an absent member, a null and a value of the
// wrong type all read as nothing. Types are checked before (schema), so what is of the wrong type
// here came from elsewhere and must only do no harm.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace windlass::server::kinds {

// A member, or null. The second form walks: at(pod, {"spec", "nodeName"}).
const Json& at(const Json& value, std::string_view key);
const Json& at(const Json& value, std::initializer_list<std::string_view> path);
// The value itself where it is an array (an object), else an empty one: safe to loop over.
const Json& items(const Json& value);
const Json& members(const Json& value);

std::string text(const Json& value);                                     // "" unless a string
std::string text_or(const Json& value, std::string_view otherwise);      // also for ""
std::string or_else_text(std::string text, std::string_view otherwise);  // `otherwise` for ""
int64_t whole(const Json& value, int64_t otherwise = 0);                 // saturates
bool truth(const Json& value, bool otherwise = false);
// An int-or-string, number or boolean as text: 3, "25%", true.
std::string scalar_text(const Json& value);
// A quantity in canonical form ("1Gi" for "1024Mi"); absent: "0".
std::string quantity_text(const Json& value);

// The member as an object, made where there is none (or something else stands there).
Json& make_object(Json& value, std::string_view key);
void set_if_absent(Json& value, std::string_view key, const Json& otherwise);
// Also where it is "" or 0, which Go's API types can't tell from absent.
void set_if_zero(Json& value, std::string_view key, const Json& otherwise);

// The status ("True") of the condition of that type, or "".
std::string condition(const Json& conditions, std::string_view type);

// "a=b,c=d" or "" ; a label selector as kubectl -l takes it, "" for everything and for null.
std::string labels_text(const Json& labels);
std::string selector_text(const Json& selector);
// Whether a LabelSelector matches. Null selects nothing, an empty one everything.
bool selects(const Json& selector, const Json& labels);
// Whether two values say the same: absent, null, {} and [] are one.
bool same(const Json& a, const Json& b);

}  // namespace windlass::server::kinds
