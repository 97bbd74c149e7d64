#include "controllers/decision_text.h"

#include <gtest/gtest.h>

namespace windlass::controllers {
namespace {

struct Case {
  const char* controller;
  Decision decision;
  const char* sentence;
};

TEST(DecisionText, EveryDeedReadsAsASentence) {
  const Case cases[] = {
      {"scaled_object",
       {"ScaledObject/ns/so", "scale", {{"target", "Deployment/ns/d"}}, "1 -> 2 replicas", {}},
       "KEDA's loop and the HPA scaled ScaledObject/ns/so (Deployment/ns/d): 1 -> 2 replicas."},
      {"scaled_object",
       {"ScaledObject/ns/so", "refuse", {}, "not scaled", {}},
       "KEDA's loop and the HPA can't read ScaledObject/ns/so: not scaled."},
      {"scaled_object",
       {"ScaledObject/ns/so", "fail", {}, "triggers do not work: s0: timed out", {}},
       "KEDA's loop and the HPA got no answer for ScaledObject/ns/so: triggers do not work: s0: "
       "timed out."},
      {"static_pools",
       {"NodePool/p", "create", {}, "no claim", {}},
       "the static pools' loop found no instance type for NodePool/p: no claim."},
      {"disruption",
       {"NodeClaim/a,b", "emptiness", {}, "delete a, b", {}},
       "disruption deleted NodeClaim/a, b (nothing runs there)."},
      {"disruption",
       {"NodeClaim/a", "drift", {}, "replace a by c, d", {}},
       "disruption sets out to replace NodeClaim/a by c, d (drift from the pool or node class)."},
      {"disruption",
       {"NodeClaim/by by", "multi_node_consolidation", {}, "replace by by by e", {}},
       "disruption sets out to replace NodeClaim/by by by e (fewer nodes do)."},
      {"disruption",
       {"NodeClaim/a", "single_node_consolidation", {}, "delete a", {}},
       "disruption deleted NodeClaim/a (cheaper without)."},
      {"disruption",
       {"NodeClaim/a,b,c", "abandon", {}, "left as they were", {}},
       "disruption gave up replacing NodeClaim/a, b, c: left as they were."},
      {"expiry",
       {"NodeClaim/a", "expire", {}, "delete", {}},
       "expiry deleted NodeClaim/a: expired."},
      {"termination",
       {"NodeClaim/a", "drain", {}, "ends at 10:00", {}},
       "the claim's termination drains NodeClaim/a: ends at 10:00."},
      {"interruption",
       {"NodeClaim/a", "delete", {}, "drains before the instance goes", {}},
       "the interruption watch deleted NodeClaim/a: drains before the instance goes."},
      {"new_one",
       {"Thing/a", "turn", {}, "turned", {}},
       "new_one decided turn of Thing/a: turned."},
  };
  for (const Case& each : cases) {
    EXPECT_EQ(deed_sentence(each.controller, each.decision), each.sentence);
  }
}

}  // namespace
}  // namespace windlass::controllers
