// Capacity, overhead and allocatable of a node as Karpenter's AWS provider expects them of an
// instance type under a node class (reference: karpenter-provider-aws, instance type provider;
// sheet 2.9). Kubelets report their own figures once they run; these decide what is bought.
#pragma once

#include "api/karpenter.h"
#include "catalog/catalog.h"
#include "catalog/ec2_table.h"

namespace windlass::catalog {

// What does not depend on the node class: cpu, memory, devices, network interfaces, and as pods
// the limit of the VPC CNI.
api::ResourceList fixed_capacity(const Ec2Facts& facts);

// Sets capacity (pods, ephemeral storage), overhead and allocatable of a type whose capacity has
// cpu and memory. `eni_pods` is the limit of the VPC CNI, `local_nvme_gb` the size of all disks.
// A threshold or percentage in evictionHard that cannot be read leaves the default in force.
void apply_node_class(InstanceType& type, const api::Ec2NodeClass& node_class, int64_t eni_pods,
                      int64_t local_nvme_gb);

}  // namespace windlass::catalog
