// What is done with shapes: checking, pruning, defaulting, protobuf, CRDs' schemas.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "server/schema/shape.h"

namespace windlass::server::schema {

// One fault of a field, as Status.details.causes has it.
struct FieldFault {
  std::string reason;   // FieldValueInvalid, FieldValueRequired, FieldValueNotSupported, ...
  std::string field;    // "spec.replicas", "spec.containers[0].name"
  std::string message;  // 'Invalid value: "x": must be ...'
};

// Unknown fields, in order: "spec.replica", "spec.template.spec.containers[0].imge". What strict
// and warn field validation report as `unknown field "..."`.
std::vector<std::string> unknown_fields(const Shape& shape, const Json& object);
// Keys that stand twice in one map of the JSON or YAML text, each once, as the same kind of paths:
// "spec.replicas". Reported as `duplicate field "..."`.
std::vector<std::string> duplicate_fields(std::string_view text);
// Values of the wrong JSON type (a 400 in Kubernetes: "json: cannot unmarshal string into Go struct
// field DeploymentSpec.spec.replicas of type int32"). Empty: all fit. Null fits everything.
std::string type_fault(const Shape& shape, const Json& object);
// Takes out what the shape doesn't know (CRDs prune, built-in kinds drop). Null members go, too.
void prune(const Shape& shape, Json& object);

// CRDs: fills in defaults; checks all that the written schema says (type, required, enum, pattern,
// bounds, lengths, formats, oneOf/anyOf/allOf/not; list sets and maps without duplicates; the CEL
// subset named in cel.h; a rule outside it is not enforced and is listed by
// unsupported_rules()). On an update (`old` is given) what was wrong before and is unchanged is
// forgiven, as Kubernetes does since 1.33: all faults of a value that equals the one it had, where
// elements of lists are told apart by the keys of a map list alone. Never forgiven: rules that look
// at oldSelf or can't be evaluated, and what an embedded object lacks. Doubles in sets and map
// lists are forgiven where the old object had any.
void apply_defaults(const Shape& shape, Json& object);
std::vector<FieldFault> validate(const Shape& shape, const Json& object, const Json* old);
std::vector<std::string> unsupported_rules(const Shape& shape);
// Reads openAPIV3Schema. Error: not structural; names the path.
Result<CrdShape> read_crd_schema(const Json& open_api_v3_schema);

// A protobuf body ("k8s\0" + runtime.Unknown) as JSON with apiVersion and kind. Error: not that
// format, a kind without a built-in shape, a malformed message. Never reads past the end.
Result<Json> decode_protobuf(std::string_view body);

// OpenAPI. `kinds` of one group-version with the paths they are served under.
struct PublishedKind {
  std::string kind;
  std::string plural;
  bool namespaced = true;
  bool status = false;
  bool scale = false;
  const Shape* shape = nullptr;
};
// The document at /openapi/v3/apis/GROUP/VERSION (or api/v1). Declares fieldValidation on writes so
// that kubectl leaves validation to the server.
std::string open_api_v3(std::string_view group, std::string_view version,
                        const std::vector<PublishedKind>& kinds);
// gnostic's openapi.v2.Document as protobuf, all group-versions in one: for kubectl that finds no
// v3. Served as application/com.github.proto-openapi.spec.v2.v1.0+protobuf: the "@" that clients
// ask with is an error to them in an answer.
std::string open_api_v2_protobuf(
    const std::vector<std::pair<std::string, std::vector<PublishedKind>>>& group_versions);

}  // namespace windlass::server::schema
