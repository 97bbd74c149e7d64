// Volumes as far as they decide where a pod can go: claims, volumes, classes, and what a node's
// drivers can attach. Fields Windlass reads, as plain values.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/core.h"

namespace windlass::api {

struct PersistentVolumeClaim {
  ObjectMeta meta;
  std::string storage_class;  // empty: the default class
  std::string volume;         // bound to; empty: not bound yet
  RawObject raw;
};

struct PersistentVolume {
  ObjectMeta meta;
  std::vector<NodeSelectorTerm> node_terms;  // nodeAffinity.required, ORed
  std::string csi_driver;                    // empty: not a CSI volume
  bool local = false;                        // local or hostPath: its hostname term does not bind
  RawObject raw;
};

struct StorageClass {
  ObjectMeta meta;
  std::string provisioner;
  bool wait_for_first_consumer = false;
  bool is_default = false;                      // storageclass.kubernetes.io/is-default-class
  std::vector<NodeSelectorTerm> allowed_terms;  // allowedTopologies, ORed
  RawObject raw;
};

// Named like its node.
struct CsiNode {
  ObjectMeta meta;
  std::map<std::string, int32_t> attach_limits;  // by driver; absent: no limit
  RawObject raw;
};

}  // namespace windlass::api
