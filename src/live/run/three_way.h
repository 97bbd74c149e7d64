// What to send so that a change of ours lands on whatever the object has become meanwhile. Others
// write the same objects (kubelets, people, other controllers): their fields and list elements
// stay, also those this program doesn't know.
#pragma once

#include "base/json.h"

namespace windlass::live {

// `fresh` with the change from `seen` to `wanted` made to it. Lists are taken as sets: elements
// that `wanted` has and `seen` had keep what else `fresh` says of them, those of `fresh` that
// `seen` did not know stay. An element is the same by its type (conditions), key and effect
// (taints), uid (owners), name, or its whole value.
Json three_way(const Json& fresh, const Json& seen, const Json& wanted);

// The JSON merge patch (RFC 7386) that makes `to` of `from`: an empty object if they are equal.
Json merge_patch_of(const Json& from, const Json& to);

// Whether the patch replaces a list anywhere: then it must only be applied to the version it was
// made from.
bool replaces_a_list(const Json& patch);

}  // namespace windlass::live
