#include "live/cloud/simulated_instance.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "base/text.h"

namespace windlass::live::cloud {
namespace {

constexpr std::string_view kNamePrefix = "windlass-instance-";
constexpr size_t kHexDigits = 17;  // as EC2's instance ids have

uint64_t hash_of(std::string_view use, std::string_view token, int attempt = 0) {
  Hash64 hash;
  hash.add(use);
  hash.add(token);
  hash.add(static_cast<int64_t>(attempt));
  return hash.value();
}

std::string hex_of(std::string_view token) {
  return fmt::format("{:016x}{:x}", hash_of("instance", token), hash_of("last", token) & 0xf);
}

// Reads the strings of `data`; what is absent is empty.
class Data {
 public:
  explicit Data(const Json& data) : data_(data) {}
  [[nodiscard]] std::string text(const char* key) const {
    const auto it = data_.find(key);
    return it != data_.end() && it->is_string() ? it->get<std::string>() : std::string();
  }
  // nullopt: absent or unreadable.
  [[nodiscard]] std::optional<Instant> time(const char* key) const {
    const Result<Instant> at = parse_rfc3339(text(key));
    return at.ok() ? std::optional(*at) : std::nullopt;
  }

 private:
  const Json& data_;
};

bool matches(std::string_view pattern, std::string_view text) {
  // Greedy with one way back: to the last star.
  size_t p = 0;
  size_t t = 0;
  size_t star = std::string_view::npos;
  size_t star_text = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      star_text = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++star_text;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

}  // namespace

std::string instance_name(std::string_view token) {
  return std::string(kNamePrefix) + hex_of(token);
}

std::optional<std::string> instance_name_of(std::string_view provider_id) {
  const size_t at = provider_id.rfind("/i-");
  if (!provider_id.starts_with("aws:///") || at == std::string_view::npos) return std::nullopt;
  const std::string_view hex = provider_id.substr(at + 3);
  const bool all_hex = std::all_of(hex.begin(), hex.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (hex.size() != kHexDigits || !all_hex) return std::nullopt;
  return std::string(kNamePrefix) + std::string(hex);
}

std::string provider_id_for(std::string_view token, std::string_view zone) {
  return fmt::format("aws:///{}/i-{}", zone, hex_of(token));
}

std::string node_name_for(std::string_view token, std::string_view region, int attempt) {
  const uint64_t bits = hash_of("address", token, attempt);
  const std::string host =
      fmt::format("ip-10-{}-{}-{}", bits & 0xff, (bits >> 8) & 0xff, 4 + ((bits >> 16) % 250));
  // The first region has a domain of its own.
  if (region == "us-east-1") return host + ".ec2.internal";
  return fmt::format("{}.{}.compute.internal", host, region);
}

std::string address_of(std::string_view node_name) {
  if (node_name.starts_with("ip-")) node_name.remove_prefix(3);
  std::string address(node_name.substr(0, node_name.find('.')));
  std::replace(address.begin(), address.end(), '-', '.');
  return address;
}

std::string time_stamp(Instant at) { return to_rfc3339({at.ns / 1'000'000'000 * 1'000'000'000}); }

std::string region_of(std::string_view zone) {
  std::string region(zone);
  if (!region.empty() && region.back() >= 'a' && region.back() <= 'z') region.pop_back();
  return region;
}

Json changing_data(const SimulatedInstance& instance) {
  Json data = Json::object();
  data["nodeName"] = instance.node_name;
  if (instance.names_taken > 0) data["namesTaken"] = std::to_string(instance.names_taken);
  if (instance.joined) data["joined"] = to_rfc3339(*instance.joined);
  if (instance.taken_at) data["takenAt"] = to_rfc3339(*instance.taken_at);
  if (instance.going) data["going"] = to_rfc3339(*instance.going);
  return data;
}

Json config_map_of(const SimulatedInstance& instance, const std::string& namespace_name) {
  Json data = changing_data(instance);
  data["token"] = instance.token;
  data["claim"] = instance.claim;
  data["pool"] = instance.pool;
  data["nodeClass"] = instance.node_class;
  data["instanceType"] = instance.instance_type;
  data["zone"] = instance.zone;
  data["capacityType"] = instance.capacity_type;
  if (!instance.reservation_id.empty()) data["reservationId"] = instance.reservation_id;
  data["usdPerHour"] = fmt::format("{}", instance.usd_per_hour);
  data["providerId"] = instance.provider_id;
  data["launched"] = to_rfc3339(instance.launched);
  return {{"apiVersion", "v1"},
          {"kind", "ConfigMap"},
          {"metadata",
           {{"name", instance_name(instance.token)},
            {"namespace", namespace_name},
            {"labels", {{std::string(kInstanceLabel), "true"}}}}},
          {"data", std::move(data)}};
}

Result<SimulatedInstance> read_instance(const Json& config_map) {
  if (!config_map.is_object()) return Error("no ConfigMap");
  const auto meta = config_map.find("metadata");
  const auto found = config_map.find("data");
  if (meta == config_map.end() || !meta->is_object() || found == config_map.end() ||
      !found->is_object()) {
    return Error("a ConfigMap without data");
  }
  const std::string name = Data(*meta).text("name");
  const Data data(*found);
  SimulatedInstance out;
  out.token = data.text("token");
  out.claim = data.text("claim");
  out.pool = data.text("pool");
  out.node_class = data.text("nodeClass");
  out.instance_type = data.text("instanceType");
  out.zone = data.text("zone");
  out.capacity_type = data.text("capacityType");
  out.reservation_id = data.text("reservationId");
  out.provider_id = data.text("providerId");
  out.node_name = data.text("nodeName");
  const Result<double> price = parse_double(data.text("usdPerHour"));
  const Result<int64_t> taken = parse_int(data.text("namesTaken"));
  const std::optional<Instant> launched = data.time("launched");
  if (taken.ok()) out.names_taken = static_cast<int>(std::clamp<int64_t>(*taken, 0, 1000));
  out.joined = data.time("joined");
  out.taken_at = data.time("takenAt");
  out.going = data.time("going");
  const bool whole = !out.token.empty() && instance_name(out.token) == name &&
                     out.provider_id == provider_id_for(out.token, out.zone) && price.ok() &&
                     launched && out.node_name.starts_with("ip-") && !out.instance_type.empty();
  if (!whole) return Error(fmt::format("ConfigMap {} is not as a simulated instance's", name));
  out.usd_per_hour = *price;
  out.launched = *launched;
  return out;
}

LaunchAnswer answer_of(const SimulatedInstance& instance, Instant now) {
  LaunchAnswer answer;
  answer.result.at = now;
  answer.result.provider_id = instance.provider_id;
  answer.result.instance_type = instance.instance_type;
  answer.result.zone = instance.zone;
  answer.result.capacity_type = instance.capacity_type;
  answer.result.usd_per_hour = instance.usd_per_hour;
  answer.result.reservation_id = instance.reservation_id;
  return answer;
}

CloudInstance cloud_instance(const SimulatedInstance& instance) {
  return {instance.provider_id,   instance.claim,
          instance.instance_type, instance.zone,
          instance.capacity_type, instance.usd_per_hour,
          instance.launched,      instance.going.has_value()};
}

bool names_offer(std::string_view pattern, const controllers::LaunchOffer& offer) {
  const std::vector<std::string_view> parts = split(pattern, ':');
  return parts.size() == 3 && matches(parts[0], offer.instance_type) &&
         matches(parts[1], offer.zone) && matches(parts[2], offer.capacity_type);
}

}  // namespace windlass::live::cloud
