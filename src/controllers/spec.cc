#include "controllers/spec.h"

namespace windlass::controllers {
namespace {

using api::Reader;

constexpr double kHuge = 1e18;

catalog::ServiceProfile read_profile(Reader reader) {
  catalog::ServiceProfile profile;
  profile.iteration_base_ms = reader.required("iterationBaseMs").number(0, 1e6).value_or(0);
  profile.prefill_ms_per_token = reader.required("prefillMsPerToken").number(0, 1e6).value_or(0);
  profile.decode_ms_per_sequence = reader.at("decodeMsPerSequence").number(0, 1e6).value_or(0);
  profile.context_ms_per_token = reader.at("contextMsPerToken").number(0, 1e6).value_or(0);
  profile.kv_capacity_tokens =
      reader.required("kvCapacityTokens").integer(1, 1'000'000'000'000).value_or(1);
  reader.refuse_unknown_keys();
  return profile;
}

}  // namespace

cluster::InferenceModel read_inference_model(Reader& reader) {
  cluster::InferenceModel model;
  model.name = reader.required("name").required_string();
  model.deployment = reader.required("deployment").required_string();
  Reader card = reader.required("card");
  model.card.name = model.name;
  model.card.parameters = card.required("parameters").number(1, kHuge).value_or(1);
  model.card.bytes_per_weight = card.at("bytesPerWeight").number(0.1, 8).value_or(2);
  model.card.kv_bytes_per_token = card.required("kvBytesPerToken").number(1, 1e9).value_or(1);
  model.card.tensor_parallel = card.at("tensorParallel").int32(1, 64).value_or(1);
  model.card.memory_utilization = card.at("memoryUtilization").number(0.05, 1).value_or(0.9);
  card.refuse_unknown_keys();
  for (auto& [gpu, profile] : reader.at("profiles").entries()) {
    if (catalog::find_gpu(gpu) == nullptr) profile.error("unknown GPU");
    model.profiles[gpu] = read_profile(profile);
  }
  model.max_sequences = reader.at("maxSequences").int32(1, 4096).value_or(256);
  model.max_batched_tokens = reader.at("maxBatchedTokens").int32(1, 1'000'000).value_or(2048);
  model.slo = reader.required("sloP95").duration().value_or(seconds(1));
  return model;
}

catalog::CatalogOptions read_catalog_options(Reader& reader, Reader& spot) {
  catalog::CatalogOptions options;
  options.region = reader.at("region").string().value_or(options.region);
  if (auto zones = reader.at("zones").strings(); !zones.empty()) options.zones = zones;
  options.spot = spot.at("enabled").boolean().value_or(true);
  for (const auto& [type, price] : spot.at("usdPerHour").entries()) {
    options.spot_prices.push_back({type, price.number(1e-6, 1e6).value_or(1)});
  }
  options.spot_default_fraction = spot.at("defaultFraction").number(0.01, 1);
  return options;
}

JointOptions read_joint_options(Reader joint) {
  JointOptions options;
  options.batch_max_wait = joint.at("batchMaxWait").duration().value_or(options.batch_max_wait);
  options.price_tolerance =
      joint.at("priceTolerance").number(0, 10).value_or(options.price_tolerance);
  options.slo_share = joint.at("sloShare").number(0.1, 1).value_or(options.slo_share);
  options.look_back = joint.at("lookBack").duration().value_or(options.look_back);
  // Signals are remembered for half an hour.
  if (options.look_back < minutes(1) || options.look_back > minutes(30)) {
    joint.error("lookBack: 1m to 30m is accepted");
  }
  options.payback = joint.at("payback").duration().value_or(options.payback);
  joint.refuse_unknown_keys();
  return options;
}

}  // namespace windlass::controllers
