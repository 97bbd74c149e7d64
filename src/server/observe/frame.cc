#include "server/observe/frame.h"

#include <algorithm>

namespace windlass::server::observe {
namespace {

// Walks both lists in order of key: visit(before or null, after or null).
template <typename Visit>
void walk_both(const Elements& before, const Elements& after, Visit visit) {
  size_t b = 0;
  size_t a = 0;
  while (b < before.size() || a < after.size()) {
    const int order = b == before.size()  ? 1
                      : a == after.size() ? -1
                                          : before[b]->key.compare(after[a]->key);
    visit(order <= 0 ? b : SIZE_MAX, order >= 0 ? a : SIZE_MAX);
    b += order <= 0 ? 1 : 0;
    a += order >= 0 ? 1 : 0;
  }
}

size_t own_bytes(const Elements& elements, const Elements* before) {
  static const Elements kNone;
  const Elements& old = before == nullptr ? kNone : *before;
  size_t bytes = elements.size() * sizeof(ElementPtr);
  walk_both(old, elements, [&](size_t b, size_t a) {
    if (a == SIZE_MAX || (b != SIZE_MAX && old[b] == elements[a])) return;
    bytes += sizeof(Element) + elements[a]->key.capacity() + elements[a]->json.capacity();
  });
  return bytes;
}

}  // namespace

void share(Elements& elements, const Elements& before) {
  std::ranges::sort(elements, {}, [](const ElementPtr& e) -> const std::string& { return e->key; });
  const auto same = [](const ElementPtr& x, const ElementPtr& y) { return x->key == y->key; };
  elements.erase(std::unique(elements.begin(), elements.end(), same), elements.end());
  walk_both(before, elements, [&](size_t b, size_t a) {
    if (b == SIZE_MAX || a == SIZE_MAX || before[b] == elements[a]) return;
    if (before[b]->json == elements[a]->json) elements[a] = before[b];
  });
}

Difference difference(const Elements& before, const Elements& after) {
  Difference out;
  walk_both(before, after, [&](size_t b, size_t a) {
    if (a == SIZE_MAX) {
      out.gone.push_back(before[b]->key);
    } else if (b == SIZE_MAX || (before[b] != after[a] && before[b]->json != after[a]->json)) {
      out.changed.push_back(after[a]);
    }
  });
  return out;
}

size_t own_bytes(const Frame& frame, const Frame* before) {
  size_t bytes = sizeof(Frame) + frame.cost.capacity() + frame.controls.capacity();
  for (const auto list : {&Frame::nodes, &Frame::pods, &Frame::scaled, &Frame::models}) {
    bytes += own_bytes(frame.*list, before == nullptr ? nullptr : &(before->*list));
  }
  return bytes;
}

}  // namespace windlass::server::observe
