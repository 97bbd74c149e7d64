// scale, eviction, binding, token, finalize, and the answers to what a cluster without containers
// can't do. Internal to this room.
#pragma once

#include "server/rest/core.h"

namespace windlass::server::rest {

// Everything below an object but status.
Outcome<Response> subresource(Core& core, const Target& target, const Request& request);

// autoscaling/v1 Scale of any resource that has one.
Outcome<Response> scale(Core& core, const Target& target, const Request& request);
// policy/v1 Eviction: a deletion that obeys PodDisruptionBudgets.
Outcome<Response> evict(Core& core, const Target& target, const Request& request);

// SubjectAccessReview and its kin, TokenReview: answered, never stored.
Outcome<Response> review(const Core& core, const Target& target, const Request& request);

// A LabelSelector in words: "app=web,tier in (a,b)".
std::string selector_text(const Json& selector);
// Whether a LabelSelector selects the labels; an absent one selects nothing.
bool selector_matches(const Json& selector, const api::StringMap& labels);

}  // namespace windlass::server::rest
