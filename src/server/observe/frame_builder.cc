#include "server/observe/frame_builder.h"

#include "scaling/scaled_object.h"
#include "server/observe/json_text.h"

namespace windlass::server::observe {
namespace {

void append_rate(JsonText& json, std::string_view name, double value, int decimals) {
  json.key(name).number(rounded(value, decimals));
}

}  // namespace

Elements FrameBuilder::nodes() const { return node_elements(sources_, decisions_); }

const scaling::ScaledObjectPlan* FrameBuilder::plan_of(const api::ScaledObject& object) {
  CachedPlan& cached = plans_[object.meta.key()];
  if (cached.resource_version != object.meta.resource_version) {
    cached.resource_version = object.meta.resource_version;
    auto plan = scaling::plan_scaled_object(object);
    cached.plan =
        plan.ok() ? std::make_shared<scaling::ScaledObjectPlan>(*std::move(plan)) : nullptr;
  }
  return cached.plan.get();
}

Elements FrameBuilder::scaled() {
  const auto& objects = sources_.state->scaled_objects();
  std::erase_if(plans_, [&](const auto& entry) { return objects.find(entry.first) == nullptr; });
  Elements out;
  for (const auto& [key, object] : objects) {
    out.push_back(scaled_element(sources_, decisions_, object, plan_of(object)));
  }
  return out;
}

Elements FrameBuilder::models(const ModelRates& rates) const {
  const std::vector<ModelReading> readings = sources_.models();
  const std::vector<ModelRate> lately = rates.since_a_minute(sources_.now(), readings);
  const std::vector<cluster::InferenceModel>& models = sources_.state->models();
  Elements out;
  for (size_t i = 0; i < std::min(models.size(), readings.size()); ++i) {
    JsonText json;
    json.open('{').key("name").text(models[i].name);
    json.key("deployment").text(models[i].deployment);
    json.key("slo_ms").number(models[i].slo.millis());
    append_rate(json, "p50_ms", lately[i].p50_ms, 1);
    append_rate(json, "p95_ms", lately[i].p95_ms, 1);
    json.key("queue").integer(readings[i].waiting);
    json.key("running").integer(readings[i].running);
    append_rate(json, "requests_per_s", lately[i].requests_per_s, 2);
    append_rate(json, "tokens_per_s", lately[i].tokens_per_s, 1);
    json.close('}');
    out.push_back(std::make_shared<Element>(Element{models[i].name, json.take(), 0}));
  }
  return out;
}

std::string FrameBuilder::cost() const {
  double rate = 0;
  for (const auto& [id, instance] : *sources_.instances) {
    if (!instance.terminated) rate += instance.usd_per_hour;
  }
  JsonText json;
  json.open('{').key("usd_per_hour").number(rounded(rate, 4));
  json.key("usd").number(rounded(sources_.cost_usd(), 4)).key("policies").open('[');
  if (sources_.other_policies) {
    for (const PolicyCost& policy : sources_.other_policies()) {
      json.open('{').key("name").text(policy.name);
      json.key("usd_per_hour").number(rounded(policy.usd_per_hour, 4));
      json.key("usd").number(rounded(policy.usd, 4)).close('}');
    }
  }
  json.close(']').close('}');
  return json.take();
}

std::string FrameBuilder::controls() const {
  const ControlsNow now = sources_.controls ? sources_.controls() : ControlsNow{};
  JsonText json;
  json.open('{').key("traffic_factor").number(now.traffic_factor);
  json.key("burst_until").time(now.burst_until).key("blocked").open('[');
  for (const auto& [type, until] : now.blocked) {
    json.open('{').key("instance_type").text(type).key("until").time(until).close('}');
  }
  json.close(']').key("prometheus_down_until").time(now.prometheus_down_until).close('}');
  return json.take();
}

FramePtr FrameBuilder::build(const FramePtr& before, const ModelRates& rates) {
  static const FramePtr kNothing = std::make_shared<Frame>();
  const Frame& old = before == nullptr ? *kNothing : *before;
  auto frame = std::make_shared<Frame>();
  frame->now = sources_.now();
  frame->speed = sources_.speed ? sources_.speed() : 1;
  frame->paused = sources_.paused && sources_.paused();
  frame->nodes = nodes();
  frame->pods = pods(old.pods);
  frame->scaled = scaled();
  frame->models = models(rates);
  share(frame->nodes, old.nodes);
  share(frame->scaled, old.scaled);
  share(frame->models, old.models);
  frame->cost = cost();
  frame->controls = controls();
  frame->newest_decision = decisions_.newest();
  return frame;
}

}  // namespace windlass::server::observe
