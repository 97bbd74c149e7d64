// Service accounts as the API has them now: a token outlives its account's deletion, the right to
// come in with it does not.
#pragma once

#include "cluster/object_store.h"
#include "server/http/exchange.h"

namespace windlass::server::embedded {

// `identity`, or nobody if it is a service account (system:serviceaccount:NS:NAME) that does not
// exist, or exists anew: another uid, or none named.
Identity if_account_exists(Identity identity, const cluster::ObjectStore& objects);

}  // namespace windlass::server::embedded
