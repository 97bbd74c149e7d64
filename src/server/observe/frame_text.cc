#include "server/observe/frame_text.h"

#include <array>

#include "server/observe/json_text.h"

namespace windlass::server::observe {
namespace {

struct List {
  std::string_view name;
  Elements Frame::*elements;
};
constexpr std::array<List, 4> kLists{{{"nodes", &Frame::nodes},
                                      {"pods", &Frame::pods},
                                      {"scaled", &Frame::scaled},
                                      {"models", &Frame::models}}};

void append_scalars(JsonText& json, const Frame& frame, const Sources& sources) {
  json.key("scenario").text(sources.scenario).key("policy").text(sources.policy);
  json.key("now").time(frame.now).key("started").time(sources.started);
  json.key("speed").number(frame.speed).key("paused").boolean(frame.paused);
  json.key("version").text(sources.version);
}

void append_list(JsonText& json, std::string_view name, const Elements& elements) {
  json.key(name).open('[');
  for (const ElementPtr& element : elements) json.raw(element->json);
  json.close(']');
}

size_t bytes_of(const Elements& elements) {
  size_t bytes = 64;
  for (const ElementPtr& element : elements) bytes += element->json.size() + 1;
  return bytes;
}

}  // namespace

std::string snapshot_text(const Frame& frame, const Sources& sources,
                          const DecisionFeed& decisions) {
  JsonText json;
  size_t bytes = 4096;
  for (const List& list : kLists) bytes += bytes_of(frame.*list.elements);
  json.reserve(bytes);
  json.open('{');
  append_scalars(json, frame, sources);
  for (const List& list : kLists) append_list(json, list.name, frame.*list.elements);
  json.key("cost").raw(frame.cost);
  json.key("decisions").raw(decisions.json(0, frame.newest_decision, kDecisionsShown));
  json.key("controls").raw(frame.controls).close('}');
  return json.take();
}

std::string update_text(const Frame& before, const Frame& after, const Sources& sources,
                        const DecisionFeed& decisions) {
  JsonText json;
  json.open('{');
  append_scalars(json, after, sources);
  std::array<Difference, kLists.size()> differences;
  for (size_t i = 0; i < kLists.size(); ++i) {
    differences[i] = difference(before.*kLists[i].elements, after.*kLists[i].elements);
    append_list(json, kLists[i].name, differences[i].changed);
  }
  json.key("gone").open('{');
  for (size_t i = 0; i < kLists.size(); ++i) {
    json.key(kLists[i].name).open('[');
    for (const std::string& key : differences[i].gone) json.text(key);
    json.close(']');
  }
  json.close('}').key("cost").raw(after.cost);
  // More than the page shows are new only when it was away; then it starts from a snapshot.
  json.key("decisions")
      .raw(decisions.json(before.newest_decision, after.newest_decision, kDecisionsShown));
  json.key("controls").raw(after.controls).close('}');
  return json.take();
}

}  // namespace windlass::server::observe
