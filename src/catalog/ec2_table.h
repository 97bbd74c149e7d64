// The facts of every EC2 type the program knows from the factory, as plain rows. What follows from
// them (labels, capacity, allocatable, offerings) is computed, so that the table holds nothing that
// a node class or a region could change. Rows are in the order of their names' bytes.
#pragma once

#include <cstdint>
#include <span>

namespace windlass::catalog {

// Numbers are 0 and texts empty where the fact is unknown or absent. The order of the fields is the
// order in ec2_types.inc, which tools/make_catalog.py writes; the defaults let rows end early.
struct Ec2Facts {
  const char* name;
  const char* arch;  // amd64, arm64
  int32_t vcpu;
  int32_t memory_mib;  // nominal, as EC2 sells it
  const char* cpu_manufacturer;
  const char* hypervisor;       // nitro, xen; empty on bare metal
  int32_t network_mbps;         // baseline, not burst
  int32_t ebs_mbps;             // maximum
  int32_t local_nvme_gb;        // all disks together
  int32_t eni_pods;             // what the VPC CNI allows: ENIs of card 0 * (addresses - 1) + 2
  int32_t branch_enis;          // vpc.amazonaws.com/pod-eni
  int32_t efa_interfaces;       // vpc.amazonaws.com/efa
  double on_demand_per_hour;    // USD, us-east-1, Linux
  double spot_median_per_hour;  // USD, over the us-east-1 zones with a market; few types have it
  // GPUs have memory; inference accelerators are listed with memory 0.
  const char* device = "";
  const char* device_manufacturer = "";
  int32_t device_count = 0;       // 0 with a device: a fraction of one (g6f)
  int32_t device_memory_mib = 0;  // of one
  int32_t neuron_cores = 0;       // all devices together

  [[nodiscard]] constexpr bool has_gpu() const { return device_memory_mib > 0; }
  [[nodiscard]] constexpr bool has_accelerator() const {
    return *device != '\0' && device_memory_mib == 0;
  }
};

std::span<const Ec2Facts> ec2_table();

}  // namespace windlass::catalog
