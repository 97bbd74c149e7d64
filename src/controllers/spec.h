// What people write about models, prices and the joint policy, in scenarios and in the
// configuration of `windlass run` alike. Each reads its keys of the map and leaves unknown ones to
// the caller.
#pragma once

#include "api/json_reader.h"
#include "catalog/catalog.h"
#include "cluster/observations.h"
#include "controllers/joint.h"

namespace windlass::controllers {

// name, deployment, card, profiles, maxSequences, maxBatchedTokens, sloP95.
cluster::InferenceModel read_inference_model(api::Reader& reader);
// region and zones; enabled, usdPerHour and defaultFraction of its map `spot`.
catalog::CatalogOptions read_catalog_options(api::Reader& reader, api::Reader& spot);
// batchMaxWait, priceTolerance, sloShare, lookBack, payback; nothing else is accepted.
JointOptions read_joint_options(api::Reader reader);

}  // namespace windlass::controllers
