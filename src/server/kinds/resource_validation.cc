// Resource names and amounts: what containers may ask for, and how much of it.
#include <nlohmann/json.hpp>

#include "base/quantity.h"
#include "server/kinds/fields.h"
#include "server/kinds/names.h"
#include "server/kinds/validation.h"

namespace windlass::server::kinds {
namespace {

// Kubernetes' own: no prefix, or one under kubernetes.io. Others are "extended": nvidia.com/gpu.
bool is_native(std::string_view resource) {
  return resource.find('/') == std::string_view::npos ||
         resource.find("kubernetes.io/") != std::string_view::npos;
}

bool is_huge_pages(std::string_view resource) { return resource.starts_with("hugepages-"); }

bool comes_in_units(std::string_view resource) {
  return !is_native(resource) && !resource.starts_with("requests.");
}

// Only what is native may be promised more often than it is there.
bool may_overcommit(std::string_view resource) {
  return is_native(resource) && !is_huge_pages(resource);
}

void check_against_limit(const std::string& name, const Json& request, const Json& limits,
                         const std::string& path, Faults& faults) {
  const Json& limit = at(limits, name);
  if (limit.is_null()) {
    if (!may_overcommit(name)) {
      faults.required(path + ".limits", "Limit must be set for non overcommitable resources");
    }
    return;
  }
  const Result<Quantity> asked = Quantity::parse(scalar_text(request));
  const Result<Quantity> most = Quantity::parse(scalar_text(limit));
  if (!asked.ok() || !most.ok()) return;  // said elsewhere
  const std::string of = name + " limit of " + most->to_string();
  if (*asked != *most && !may_overcommit(name)) {
    faults.invalid(path + ".requests", asked->to_string(), "must be equal to " + of);
  } else if (*asked > *most) {
    faults.invalid(path + ".requests", asked->to_string(), "must be less than or equal to " + of);
  }
}

}  // namespace

void check_quantity(std::string_view resource, const Json& value, const std::string& path,
                    Faults& faults) {
  const Result<Quantity> amount = Quantity::parse(scalar_text(value));
  if (!amount.ok()) {
    faults.invalid(path, value,
                   "quantities must match the regular expression "
                   "'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'");
    return;
  }
  if (*amount < Quantity()) {
    faults.invalid(path, amount->to_string(), "must be greater than or equal to 0");
  } else if (comes_in_units(resource) && *amount != Quantity::from_units(amount->units())) {
    faults.invalid(path, amount->to_string(), "must be an integer");
  }
}

void check_resource_name(std::string_view resource, const std::string& path, Faults& faults) {
  const std::string fault = qualified_name_fault(resource);
  if (!fault.empty()) {
    faults.invalid(path, std::string(resource), fault);
  } else if (resource.find('/') == std::string_view::npos && !is_huge_pages(resource) &&
             resource != "cpu" && resource != "memory" && resource != "ephemeral-storage") {
    faults.invalid(path, std::string(resource), "must be a standard resource for containers");
  } else if (!is_native(resource) && resource.starts_with("requests.")) {
    faults.invalid(path, std::string(resource), "doesn't follow extended resource name standard");
  }
}

void check_resources(const Json& resources, const std::string& path, Faults& faults) {
  bool compute = false, huge_pages = false;
  for (const std::string list : {"limits", "requests"}) {
    for (const auto& [name, amount] : members(at(resources, list)).items()) {
      const std::string here = key(path + "." + list, name);
      check_resource_name(name, here, faults);
      check_quantity(name, amount, here, faults);
      compute |= name == "cpu" || name == "memory";
      huge_pages |= is_huge_pages(name);
      if (list == "requests") {
        check_against_limit(name, amount, at(resources, "limits"), path, faults);
      }
    }
  }
  if (huge_pages && !compute) faults.forbidden(path, "HugePages require cpu or memory");
}

}  // namespace windlass::server::kinds
