// NodeOverlays: prices and resources that stand in for the provider's (reference karpenter.md 1.5).
#include <algorithm>
#include <array>
#include <map>
#include <tuple>

#include "base/text.h"
#include "catalog/catalog.h"

namespace windlass::catalog {
namespace {

// What one overlay would change: places in the catalogue.
using OfferingPlace = std::pair<size_t, size_t>;       // type, offering
using ResourcePlace = std::pair<size_t, std::string>;  // type, resource
struct Reach {
  std::vector<OfferingPlace> offerings;
  std::vector<ResourcePlace> resources;
};

// Labels that differ from one offering of a type to the next.
bool is_offering_label(std::string_view key) {
  return key == api::kZoneLabel || key == api::kCapacityTypeLabel ||
         key == api::kReservationIdLabel || key == api::kReservationTypeLabel;
}

// An absent label is like the empty one for these: no value of it can be asked for.
bool allows(const api::Requirement& asked, const std::string& value) {
  return value.empty() ? asked.empty() || asked.op() == api::Operator::kNotIn : asked.has(value);
}

bool meets(const Offering& offering, const api::Requirements& asked) {
  const std::array<std::pair<std::string_view, const std::string*>, 4> labels{
      {{api::kZoneLabel, &offering.zone},
       {api::kCapacityTypeLabel, &offering.capacity_type},
       {api::kReservationIdLabel, &offering.reservation_id},
       {api::kReservationTypeLabel, &offering.reservation_type}}};
  return std::ranges::all_of(labels, [&](const auto& label) {
    return !asked.has(label.first) || allows(asked.get(label.first), *label.second);
  });
}

// What it asks of the type alone; labels of offerings are looked at one offering at a time.
bool meets(const InstanceType& type, const api::Requirements& asked) {
  api::Requirements of_type;
  for (const auto& [key, requirement] : asked) {
    if (!is_offering_label(key)) of_type.add(key, requirement);
  }
  return type.requirements.why_incompatible(of_type, true).empty();
}

bool changes_prices(const api::NodeOverlay& overlay) {
  return overlay.price_usd_per_hour.has_value() || !overlay.price_adjustment.empty();
}

Reach reach_of(const api::NodeOverlay& overlay, const Catalog& catalog) {
  Reach out;
  const auto asked = api::Requirements::from_specs(overlay.requirements);
  // The catalogue is every pool's, so what is meant for one can't be shown in it.
  if (asked.has(api::kNodePoolLabel)) return out;
  for (size_t t = 0; t < catalog.types.size(); ++t) {
    const InstanceType& type = catalog.types[t];
    if (!meets(type, asked)) continue;
    bool any = false;
    for (size_t o = 0; o < type.offerings.size(); ++o) {
      if (!meets(type.offerings[o], asked)) continue;
      any = true;
      if (changes_prices(overlay)) out.offerings.emplace_back(t, o);
    }
    if (!any) continue;
    for (const auto& [name, milli] : overlay.capacity) out.resources.emplace_back(t, name);
  }
  return out;
}

// "+10%" and "-10%" of the price, "+0.05" and "-0.05" dollars; never below nothing.
double adjusted(double price, std::string_view adjustment) {
  const bool percent = adjustment.ends_with('%');
  if (percent) adjustment.remove_suffix(1);
  const bool less = adjustment.starts_with('-');
  if (less || adjustment.starts_with('+')) adjustment.remove_prefix(1);
  const auto amount = parse_double(adjustment);
  if (!amount.ok()) return price;
  const double change = percent ? price * *amount / 100 : *amount;
  return std::max(0.0, less ? price - change : price + change);
}

// What overlays have set so far, and the weight of the one that did.
struct Settled {
  std::map<OfferingPlace, int32_t> prices;
  std::map<ResourcePlace, int32_t> resources;
};

template <typename Place>
bool clashes(const std::vector<Place>& places, const std::map<Place, int32_t>& settled,
             int32_t weight) {
  return std::ranges::any_of(places, [&](const Place& place) {
    const auto found = settled.find(place);
    return found != settled.end() && found->second == weight;
  });
}

// The heavier overlay keeps what it set, one price or resource at a time.
void apply(const api::NodeOverlay& overlay, const Reach& reach, Settled& settled, Catalog& out) {
  for (const OfferingPlace& place : reach.offerings) {
    if (!settled.prices.emplace(place, overlay.weight).second) continue;
    double& price = out.types[place.first].offerings[place.second].usd_per_hour;
    price = overlay.price_usd_per_hour ? *overlay.price_usd_per_hour
                                       : adjusted(price, overlay.price_adjustment);
  }
  for (const ResourcePlace& place : reach.resources) {
    if (!settled.resources.emplace(place, overlay.weight).second) continue;
    InstanceType& type = out.types[place.first];
    type.capacity.set(place.second, overlay.capacity.milli(place.second));
    type.allocatable = type.capacity - type.overhead;
  }
}

}  // namespace

Catalog with_overlays(const Catalog& base, const std::vector<const api::NodeOverlay*>& overlays) {
  std::vector<const api::NodeOverlay*> ordered = overlays;
  std::ranges::stable_sort(ordered, [](const auto* a, const auto* b) {
    return std::tie(a->weight, a->meta.name) > std::tie(b->weight, b->meta.name);
  });
  Catalog out = base;
  Settled settled;
  for (const api::NodeOverlay* overlay : ordered) {
    const Reach reach = reach_of(*overlay, base);
    // Two of one weight over one thing: the one that comes second is not ready and changes nothing.
    if (clashes(reach.offerings, settled.prices, overlay->weight) ||
        clashes(reach.resources, settled.resources, overlay->weight)) {
      continue;
    }
    apply(*overlay, reach, settled, out);
  }
  return out;
}

}  // namespace windlass::catalog
