#include "live/kube/decode.h"

#include <gtest/gtest.h>

#include "live/kube/decode_fast.h"
#include "live/kube/sample_objects.h"

namespace windlass::live::kube {
namespace {

// --- every field as text, so that two readings can be compared ---------------------------------

std::string when(const std::optional<Instant>& t) { return t ? std::to_string(t->ns) : "-"; }

Json shown(const api::ResourceList& list) {
  Json out = Json::object();
  for (const auto& [name, milli] : list) out[name] = milli;
  return out;
}
Json shown(const api::ObjectMeta& meta) {
  Json out{{"name", meta.name},
           {"namespace", meta.namespace_name},
           {"uid", meta.uid},
           {"labels", meta.labels},
           {"annotations", meta.annotations},
           {"finalizers", meta.finalizers},
           {"created", meta.created.ns},
           {"deleted", when(meta.deleted)},
           {"generation", meta.generation},
           {"version", meta.resource_version}};
  for (const auto& o : meta.owners) {
    out["owners"].push_back({o.api_version, o.kind, o.name, o.uid, o.controller});
  }
  return out;
}
Json shown(const api::Container& c) {
  Json out{{"name", c.name},
           {"image", c.image},
           {"env", c.env},
           {"requests", shown(c.requests)},
           {"limits", shown(c.limits)},
           {"sidecar", c.restart_always}};
  for (const auto& [name, key] : c.env_from) out["from"][name] = {key.secret, key.name, key.key};
  for (const auto& p : c.host_ports) out["ports"].push_back({p.ip, p.port, p.protocol});
  return out;
}
Json shown(const api::LabelSelector& s) {
  Json out{{"labels", s.match_labels}};
  for (const auto& t : s.match_expressions) {
    out["terms"].push_back({t.key, static_cast<int>(t.op), t.values});
  }
  return out;
}
Json shown(const api::NodeSelectorTerm& t) {
  Json out = Json::array();
  for (const auto& r : t.match_expressions) {
    out.push_back({r.key, static_cast<int>(r.op), r.values, r.min_values.value_or(-1)});
  }
  return out;
}
Json shown(const api::PodAffinityTerm& t) {
  return {t.topology_key,     shown(t.selector),
          t.namespaces,       t.namespace_selector ? shown(*t.namespace_selector) : Json(),
          t.match_label_keys, t.mismatch_label_keys};
}
Json shown(const api::PodAffinity& a) {
  Json out = Json::object();
  for (const auto& t : a.required) out["required"].push_back(shown(t));
  for (const auto& t : a.preferred) out["preferred"].push_back({t.weight, shown(t.term)});
  return out;
}
Json shown(const api::PodSpec& s) {
  Json out{{"overhead", shown(s.overhead)},
           {"node_selector", s.node_selector},
           {"affinity", shown(s.affinity)},
           {"anti", shown(s.anti_affinity)},
           {"claims", s.has_resource_claims},
           {"class", s.priority_class},
           {"priority", s.priority ? Json(*s.priority) : Json()},
           {"node", s.node_name},
           {"scheduler", s.scheduler_name},
           {"grace", s.termination_grace.ns}};
  for (const auto& c : s.containers) out["containers"].push_back(shown(c));
  for (const auto& c : s.init_containers) out["init"].push_back(shown(c));
  for (const auto& t : s.required_node_terms) out["required"].push_back(shown(t));
  for (const auto& t : s.preferred_node_terms) {
    out["preferred"].push_back({t.weight, shown(t.term)});
  }
  for (const auto& t : s.tolerations) {
    out["tolerations"].push_back({t.key, t.op, t.value, t.effect, t.seconds.value_or(-77)});
  }
  for (const auto& c : s.topology_spread) {
    out["spread"].push_back({c.max_skew, c.topology_key, c.schedule_anyway, shown(c.selector),
                             c.min_domains.value_or(-1), c.honor_node_affinity, c.honor_node_taints,
                             c.match_label_keys});
  }
  for (const auto& v : s.volumes) {
    out["volumes"].push_back({v.name, v.claim, v.ephemeral, v.storage_class});
  }
  return out;
}
Json shown(const api::Pod& pod) {
  return {{"meta", shown(pod.meta)},
          {"spec", shown(pod.spec)},
          {"phase", static_cast<int>(pod.phase)},
          {"ready", pod.ready},
          {"scheduled", when(pod.scheduled_at)},
          {"unschedulable", when(pod.unschedulable_since)},
          {"message", pod.unschedulable_message},
          {"started", when(pod.started_at)},
          {"ready_at", when(pod.ready_at)},
          {"nominated", pod.nominated_node},
          {"ip", pod.ip}};
}
Json shown(const api::Node& node) {
  Json out{{"meta", shown(node.meta)},
           {"provider", node.provider_id},
           {"unschedulable", node.unschedulable},
           {"capacity", shown(node.capacity)},
           {"allocatable", shown(node.allocatable)}};
  for (const auto& t : node.taints) out["taints"].push_back({t.key, t.value, t.effect});
  for (const auto& c : node.conditions) {
    out["conditions"].push_back({c.type, c.status, c.reason, c.message, c.changed.ns});
  }
  return out;
}

// What api::decode makes of the text, or its error.
template <typename T>
std::string by_api(const std::string& text, const char* kind) {
  auto json = parse_json(text);
  if (!json.ok()) return "error: " + json.error().message();
  if (json->is_object()) {
    for (const auto& [key, value] : {std::pair("apiVersion", "v1"), std::pair("kind", kind)}) {
      if (!json->contains(key) || (*json)[key].is_null()) (*json)[key] = value;
    }
  }
  const auto object = api::decode(*json);
  if (!object.ok()) return "error: " + object.error().message();
  const T* wanted = std::get_if<T>(&*object);
  return wanted != nullptr ? shown(*wanted).dump() : "another kind";
}
template <typename T>
std::string shown_or_error(const Result<T>& result) {
  if (!result.ok()) {
    const std::string& why = result.error().message();
    return why.ends_with("(accepted: a Pod)") || why.ends_with("(accepted: a Node)")
               ? "another kind"
               : "error: " + why;
  }
  EXPECT_EQ(result->raw, nullptr);
  return shown(*result).dump();
}

void expect_alike(const std::string& pod) {
  ASSERT_EQ(shown_or_error(decode_pod(pod)), by_api<api::Pod>(pod, "Pod")) << pod;
}
void expect_node_alike(const std::string& node) {
  ASSERT_EQ(shown_or_error(decode_node(node)), by_api<api::Node>(node, "Node")) << node;
}

TEST(Decode, TakesOrdinaryObjectsTheFastWay) {
  for (const Json& pod : sample_variants()) {
    const std::string text = pod.dump();
    EXPECT_TRUE(fast_pod(text).has_value()) << text;
    expect_alike(text);
  }
  EXPECT_TRUE(fast_node(sample_node(3).dump()).has_value());
  expect_node_alike(sample_node(3).dump());
  expect_node_alike(R"({"metadata":{"name":"n"},"status":{"capacity":{"cpu":"1"}}})");
}

TEST(Decode, ReadsTheValuesThatStandThere) {
  const auto pod = decode_pod(sample_pod(12).dump());
  ASSERT_TRUE(pod.ok());
  EXPECT_EQ(pod->meta.key(), "production/web-7c5ddbdf54-00012");
  EXPECT_EQ(pod->meta.annotations.at("note"), "<b> caf\xC3\xA9 \"quoted\" \\u00e9");
  EXPECT_EQ(pod->spec.containers.at(0).requests.milli("memory"), 3'758'096'384'000);
  EXPECT_EQ(pod->spec.volumes.size(), 2U);
  EXPECT_TRUE(pod->spec.init_containers.at(1).restart_always);
  EXPECT_TRUE(pod->ready);
  EXPECT_EQ(pod->scheduled_at, *parse_rfc3339("2026-03-01T10:20:31Z"));
  const auto node = decode_node(sample_node(12).dump());
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(node->allocatable.milli("nvidia.com/gpu"), 1000);
  EXPECT_TRUE(api::is_true(node->conditions, "Ready"));
}

TEST(Decode, OddDocumentsAreReadAsApiDecodeReadsThem) {
  const std::string good = R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}})";
  const auto with_spec = [](const std::string& more) {
    return R"({"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}],)" + more + "}}";
  };
  std::string deep = "1";
  for (int i = 0; i < 300; ++i) deep = "[" + deep + "]";
  std::string less_deep = "1";
  for (int i = 0; i < 253; ++i) less_deep = "[" + less_deep + "]";
  for (
      const std::string& text : std::vector<std::string>{
          good,
          "",
          "null",
          "[]",
          "5",
          good + " ",
          good + "x",
          good + good,
          "\xEF\xBB\xBF" + good,
          good.substr(0, good.size() - 1),
          R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"p"}})",
          R"({"kind":"Pod","apiVersion":"v2","metadata":{"name":"p"}})",
          R"({"kind":null,"apiVersion":null,"metadata":{"name":"p"},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","name":"q"},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","labels":{"a":"1","a":"2"}},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"P"},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","resourceVersion":"abc"},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","resourceVersion":"99999999999999999999"},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","annotations":{"a":"\ud83d\ude00"}},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","annotations":{"a":"\udc00"}},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","annotations":{"a":"\ud800"}},"spec":{"containers":[{"name":"c"}]}})",
          R"({"metadata":{"name":"p","annotations":{"a":"\u0000b","c":null}},"spec":{"containers":[{"name":"c"}]}})",
          "{\"metadata\":{\"name\":\"p\",\"annotations\":{\"a\":\"\xFF\"}},\"spec\":{"
          "\"containers\":[{\"name\":\"c\"}]}}",
          with_spec(R"("x":1e999)"),
          with_spec(R"("x":123456789012345678901234567890)"),
          with_spec(R"("x":-0)"),
          with_spec(R"("x":01)"),
          with_spec(R"("priority":5.0)"),
          with_spec(R"("priority":99999999999)"),
          with_spec(R"("priority":-0)"),
          with_spec(R"("terminationGracePeriodSeconds":9999999999999)"),
          with_spec(R"("x":)" + deep),
          with_spec(R"("x":)" + less_deep),
          with_spec(R"("nodeSelector":{"beta.kubernetes.io/arch":"amd64"})"),
          with_spec(R"("nodeSelector":{"bad key":"amd64"})"),
          with_spec(R"("overhead":{"cpu":1})"),
          with_spec(R"("overhead":{"cpu":"1","cpu":"2"})"),
          with_spec(R"("hostNetwork":"true")"),
          with_spec(
              R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{}}})"),
          with_spec(
              R"("affinity":{"nodeAffinity":{"requiredDuringSchedulingIgnoredDuringExecution":{"nodeSelectorTerms":[null]}}})"),
          with_spec(R"("tolerations":[{"key":"","operator":"Equal"}])"),
      }) {
    expect_alike(text);
    expect_node_alike(text);
  }
}

TEST(Decode, ChangedObjectsAreReadAsApiDecodeReadsThem) {
  Rng rng(1, "decode");
  const std::vector<Json> variants = sample_variants();
  int fast = 0;
  for (int i = 0; i < 1000; ++i) {
    Json pod = variants[rng.below(variants.size())];
    const uint64_t changes = 1 + rng.below(3);
    for (uint64_t n = 0; n < changes; ++n) change_somewhere(pod, rng);
    const std::string text = pod.dump();
    expect_alike(text);
    if (HasFatalFailure()) return;
    fast += fast_pod(text).has_value() ? 1 : 0;
    Json node = sample_node(i);
    for (uint64_t n = 0; n < changes; ++n) change_somewhere(node, rng);
    expect_node_alike(node.dump());
    if (HasFatalFailure()) return;
  }
  // The comparison means something only where the fast way was taken.
  EXPECT_GT(fast, 300);
}

TEST(Decode, BrokenTextsAreRefusedAsApiDecodeRefusesThem) {
  Rng rng(2, "decode");
  const std::string good = sample_pod(1).dump();
  for (int i = 0; i < 1000; ++i) {
    std::string text = good;
    const size_t at = rng.below(text.size());
    switch (rng.below(4)) {
      case 0:
        text.resize(at);
        break;
      case 1:
        text[at] = static_cast<char>(rng.below(256));
        break;
      case 2:
        text.erase(at, 1 + rng.below(5));
        break;
      default:
        text.insert(at, 1, R"({}[]",:\0)"[rng.below(9)]);
    }
    expect_alike(text);
    if (HasFatalFailure()) return;
  }
}

TEST(DecodeObject, NamesTheKindWhereItemsOfListsDont) {
  const auto claim = decode_object(
      R"({"metadata":{"name":"c","namespace":"n"},"spec":{"accessModes":["ReadWriteOnce"],"resources":{"requests":{"storage":"1Gi"}}}})",
      "v1", "PersistentVolumeClaim");
  ASSERT_TRUE(claim.ok()) << claim.error().message();
  EXPECT_EQ(api::kind_of(*claim), "PersistentVolumeClaim");
  const auto pod = decode_object(sample_pod(1).dump(), "v1", "Pod");
  ASSERT_TRUE(pod.ok());
  EXPECT_EQ(api::kind_of(*pod), "Pod");
  const auto node = decode_object(sample_node(1).dump(), "v1", "Node");
  ASSERT_TRUE(node.ok());
  EXPECT_EQ(api::kind_of(*node), "Node");
  // What stands there counts.
  const auto other = decode_object(
      R"({"kind":"Namespace","apiVersion":"v1","metadata":{"name":"n"}})", "v1", "ConfigMap");
  ASSERT_TRUE(other.ok());
  EXPECT_EQ(api::kind_of(*other), "Namespace");
}

// An API server without Karpenter's conversion gives out as v1 what was written as v1beta1; of the
// reference it keeps what v1 knows.
TEST(DecodeObject, ReadsWhatWasWrittenAsV1beta1) {
  const auto object = decode_object(
      R"({"apiVersion":"karpenter.sh/v1","kind":"NodePool","metadata":{"name":"p"},"spec":{
          "template":{"spec":{"requirements":[],"nodeClassRef":{"kind":"EC2NodeClass","name":"c"}}},
          "disruption":{"consolidationPolicy":"WhenUnderutilized","consolidateAfter":"5m"}}})",
      "karpenter.sh/v1", "NodePool");
  ASSERT_TRUE(object.ok()) << object.error().message();
  const auto& pool = std::get<api::NodePool>(*object);
  EXPECT_EQ(pool.node_class.group, "karpenter.k8s.aws");
  EXPECT_EQ(pool.node_class.name, "c");
  const auto claim = decode_object(
      R"({"metadata":{"name":"x"},"spec":{"requirements":[],"nodeClassRef":{"name":"c"}}})",
      "karpenter.sh/v1", "NodeClaim");
  ASSERT_TRUE(claim.ok()) << claim.error().message();
  EXPECT_EQ(std::get<api::NodeClaim>(*claim).node_class.kind, "EC2NodeClass");
  const auto node_class =
      decode_object(R"({"metadata":{"name":"c"},"spec":{"amiFamily":"AL2","role":"r",
          "subnetSelectorTerms":[{"tags":{"a":"b"}}],"securityGroupSelectorTerms":[{"id":"sg-1"}]}})",
                    "karpenter.k8s.aws/v1", "EC2NodeClass");
  EXPECT_TRUE(node_class.ok()) << node_class.error().message();
  // What was written as v1 is not read any looser.
  const auto wrong = decode_object(
      R"({"metadata":{"name":"p"},"spec":{"template":{"spec":{"requirements":[],
          "nodeClassRef":{"group":"karpenter.k8s.aws","kind":"EC2NodeClass","name":"c"}}},
          "disruption":{"consolidationPolicy":"WhenUnderutilized"}}})",
      "karpenter.sh/v1", "NodePool");
  EXPECT_FALSE(wrong.ok());
}

TEST(DecodeObject, SaysWhatIsWrong) {
  struct Case {
    const char *json, *kind, *error;
  };
  for (const Case& c : std::vector<Case>{
           {"{", "Namespace", "line 1"},
           {"[]", "Namespace", "a list"},
           {"{}", "Namespace", "metadata"},
           {R"({"metadata":{"name":"x"}})", "Widget", "not a kind Windlass reads"},
           {R"({"metadata":{"name":"x"}})", "Pod", "spec: is missing"},
           {R"({"kind":"Node","metadata":{"name":"x"}})", "Pod", "found a Node (accepted: a Pod)"},
       }) {
    const auto object = decode_object(c.json, "v1", c.kind);
    ASSERT_FALSE(object.ok()) << c.json;
    EXPECT_NE(object.error().message().find(c.error), std::string::npos)
        << object.error().message();
  }
}

}  // namespace
}  // namespace windlass::live::kube
