// EC2NodeClass of karpenter.k8s.aws/v1: the fields that decide what a node offers its pods
// (reference karpenter.md 1.4). The rest is checked for its outline and kept as it was read.
#include <algorithm>
#include <map>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "api/decode.h"
#include "base/text.h"

namespace windlass::api {
namespace {

constexpr size_t kMaxTerms = 30;

// The families an alias may name, and amiFamily's spelling of each.
const std::vector<std::pair<std::string_view, std::string_view>>& alias_families() {
  static const std::vector<std::pair<std::string_view, std::string_view>> kFamilies{
      {"al2", "AL2"},
      {"al2023", "AL2023"},
      {"bottlerocket", "Bottlerocket"},
      {"windows2019", "Windows2019"},
      {"windows2022", "Windows2022"},
      {"windows2025", "Windows2025"}};
  return kFamilies;
}

// The alias' family as amiFamily spells it, or "" with an error.
std::string read_alias(const Reader& field, const std::string& alias) {
  const std::vector<std::string_view> parts = split(alias, '@');
  if (parts.size() == 2 && !parts[1].empty() && alias.size() <= 30) {
    for (const auto& [name, family] : alias_families()) {
      if (parts[0] != name) continue;
      if (name.starts_with("windows") && parts[1] != "latest") {
        field.error("Windows images take @latest only");
      }
      return std::string(family);
    }
  }
  field.error(
      fmt::format("found {} (accepted: family@version, like al2023@latest; families al2, "
                  "al2023, bottlerocket, windows2019, windows2022, windows2025)",
                  describe(field.json())));
  return "";
}

// The family decides the root device and what the kubelet keeps for itself, and may come from the
// alias or from amiFamily; both must agree.
void read_ami(Reader& spec, Ec2NodeClass& out) {
  Reader terms = spec.required("amiSelectorTerms");
  const std::vector<Reader> items = terms.items();
  std::string alias_family;
  for (Reader item : items) {
    Reader alias = item.at("alias");
    if (const auto text = alias.string()) {
      out.ami_alias = *text;
      alias_family = read_alias(alias, *text);
      if (items.size() > 1) alias.error("must be the only term");
    }
    item.allow({"tags", "id", "name", "owner", "ssmParameter"});
    item.warn_unknown_keys();
  }
  if (terms.present() && terms.json().is_array() && (items.empty() || items.size() > kMaxTerms)) {
    terms.error(fmt::format("has {} entries (accepted: 1 to {})", items.size(), kMaxTerms));
  }
  Reader family = spec.at("amiFamily");
  out.ami_family = family
                       .one_of<std::string>({{"AL2", "AL2"},
                                             {"AL2023", "AL2023"},
                                             {"Bottlerocket", "Bottlerocket"},
                                             {"Custom", "Custom"},
                                             {"Windows2019", "Windows2019"},
                                             {"Windows2022", "Windows2022"},
                                             {"Windows2025", "Windows2025"}})
                       .value_or(alias_family);
  if (!family.present() && terms.present() && out.ami_alias.empty()) {
    family.error("is missing (an alias in amiSelectorTerms would name it, too)");
  }
  if (family.present() && !alias_family.empty() && out.ami_family != alias_family &&
      out.ami_family != "Custom") {
    family.error(fmt::format("is not the alias' family (accepted: {} or Custom)", alias_family));
  }
}

// The open map of kubelet settings. Text in place of a number is a CEL expression, which Karpenter
// evaluates a node at a time behind a gate.
std::optional<int32_t> read_count_or_cel(const Reader& field) {
  if (field.present() && field.json().is_string()) {
    field.warning("is an expression; Windlass does not evaluate it and takes the default");
    return std::nullopt;
  }
  return field.int32(0, INT32_MAX);
}

void read_kubelet(Reader kubelet, Ec2NodeClass& out) {
  out.max_pods = read_count_or_cel(kubelet.at("maxPods"));
  out.pods_per_core = read_count_or_cel(kubelet.at("podsPerCore"));
  out.kube_reserved = kubelet.at("kubeReserved").resources();
  out.system_reserved = kubelet.at("systemReserved").resources();
  Reader eviction = kubelet.at("evictionHard");
  out.eviction_hard = eviction.string_map();
  for (const auto& [signal, field] : eviction.entries()) {
    const std::string& text = out.eviction_hard[signal];
    const bool percent = text.ends_with('%');
    const bool good = percent ? parse_double(std::string_view(text).substr(0, text.size() - 1)).ok()
                              : Quantity::parse(text).ok();
    if (!good) {
      field.error(
          fmt::format("found \"{}\" (accepted: a quantity like 100Mi, or a percentage like "
                      "5%)",
                      text.substr(0, 64)));
    }
  }
}

// The volume that pods' ephemeral storage lives on: the mapping marked as root, else the one of the
// device the image family keeps it on (of Custom images the last one).
std::optional<int64_t> read_root_volume(const Reader& mappings, const std::string& family) {
  const std::string_view device = family == "Bottlerocket"        ? "/dev/xvdb"
                                  : family.starts_with("Windows") ? "/dev/sda1"
                                                                  : "/dev/xvda";
  std::optional<int64_t> marked;
  std::optional<int64_t> by_device;
  std::optional<int64_t> last;
  size_t roots = 0;
  const std::vector<Reader> items = mappings.items();
  for (Reader item : items) {
    const std::string name = item.at("deviceName").string().value_or("");
    const bool root = item.at("rootVolume").boolean().value_or(false);
    Reader ebs = item.at("ebs");
    const auto size = ebs.at("volumeSize").quantity();
    if (ebs.present() && !size && !ebs.has("snapshotID") && !ebs.has("volumeSize")) {
      ebs.error("names neither snapshotID nor volumeSize");
    }
    const auto bytes = size ? std::optional(size->units()) : std::nullopt;
    if (root) marked = bytes;
    if (name == device) by_device = bytes;
    last = bytes;
    roots += root ? 1 : 0;
  }
  if (roots > 1) mappings.error("marks more than one rootVolume");
  if (items.size() > 50) mappings.error("has more than 50 entries");
  if (roots > 0) return marked;
  return family == "Custom" ? last : by_device;
}

// Which subnets and groups exist is not known here; that some are asked for is.
void check_terms(const Reader& terms) {
  const size_t count = terms.must().items().size();
  if (terms.present() && terms.json().is_array() && (count == 0 || count > kMaxTerms)) {
    terms.error(fmt::format("has {} entries (accepted: 1 to {})", count, kMaxTerms));
  }
}

void read_class_spec(Reader spec, Ec2NodeClass& out) {
  read_ami(spec, out);
  check_terms(spec.at("subnetSelectorTerms"));
  check_terms(spec.at("securityGroupSelectorTerms"));
  Reader role = spec.at("role");
  Reader profile = spec.at("instanceProfile");
  (void)role.string();
  (void)profile.string();
  if (role.present() == profile.present()) {
    role.error(role.present() ? "stands beside instanceProfile (accepted: one of the two)"
                              : "is missing (accepted: role or instanceProfile)");
  }
  read_kubelet(spec.at("kubelet"), out);
  out.root_volume_bytes = read_root_volume(spec.at("blockDeviceMappings"), out.ami_family);
  out.raid0 = spec.at("instanceStorePolicy").one_of<bool>({{"RAID0", true}}).value_or(false);
  spec.allow({"capacityReservationSelectorTerms", "placementGroupSelector",
              "associatePublicIPAddress", "ipPrefixCount", "userData", "tags", "networkInterfaces",
              "detailedMonitoring", "metadataOptions", "connectionTracking", "context",
              "cpuOptions"});
  spec.warn_unknown_keys();
}

// "cr-1=4, cr-2=0": instances left in capacity reservations, which Karpenter asks EC2 for and keeps
// to itself.
std::map<std::string, int32_t> read_instances_left(const Reader& annotation) {
  std::map<std::string, int32_t> out;
  const std::string text = annotation.string().value_or("");
  if (text.empty()) return out;
  for (const std::string_view piece : split(text, ',')) {
    const size_t equals = piece.find('=');
    const auto count = equals == std::string_view::npos ? Result<int64_t>(Error("no count"))
                                                        : parse_int(trim(piece.substr(equals + 1)));
    if (count.ok() && *count >= 0 && *count <= INT32_MAX) {
      out[std::string(trim(piece.substr(0, equals)))] = static_cast<int32_t>(*count);
    } else {
      annotation.error(fmt::format("found {} (accepted: counts by reservation, like cr-1=4,cr-2=0)",
                                   describe(annotation.json())));
    }
  }
  return out;
}

CapacityReservation read_reservation(Reader item) {
  CapacityReservation out;
  out.id = item.at("id").required_string();
  out.zone = item.at(item.has("zone") ? "zone" : "availabilityZone").required_string();
  out.instance_type = item.at("instanceType").required_string();
  out.type =
      item.at("reservationType")
          .one_of<std::string>({{"default", "default"}, {"capacity-block", "capacity-block"}})
          .value_or("default");
  out.active =
      item.at("state").one_of<bool>({{"active", true}, {"expiring", false}}).value_or(true);
  out.ends = item.at("endTime").time();
  return out;
}

void read_class_status(Reader status, const Reader& left, Ec2NodeClass& out) {
  const std::map<std::string, int32_t> counts = read_instances_left(left);
  for (Reader item : status.at("capacityReservations").items()) {
    CapacityReservation reservation = read_reservation(std::move(item));
    const auto count = counts.find(reservation.id);
    if (count != counts.end()) reservation.available = count->second;
    out.reservations.push_back(std::move(reservation));
  }
  for (Reader ami : status.at("amis").items()) {
    out.ami_ids.push_back(ami.at("id").required_string());
  }
}

}  // namespace

Ec2NodeClass read_ec2_node_class(Reader root) {
  Ec2NodeClass out;
  out.meta = read_meta(root.required("metadata"), Scope::kCluster);
  Reader spec = root.required("spec");
  if (spec.present()) read_class_spec(std::move(spec), out);
  read_class_status(root.at("status"),
                    root.at("metadata").at("annotations").at(kReservationsLeftAnnotation), out);
  root.allow({"apiVersion", "kind"});
  root.warn_unknown_keys();
  return out;
}

}  // namespace windlass::api
