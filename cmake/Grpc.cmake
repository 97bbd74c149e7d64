# gRPC is optional: with it, `external` triggers are asked and `windlass external-scaler` serves.
# Without it both say so. Found by pkg-config: Debian's packages have that in every release.
pkg_check_modules(GRPC QUIET IMPORTED_TARGET grpc++ protobuf)
find_program(PROTOC protoc)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin)
if(GRPC_FOUND AND PROTOC AND GRPC_CPP_PLUGIN)
  set(grpc_is_there ON)
else()
  set(grpc_is_there OFF)
endif()
option(WINDLASS_GRPC "speak KEDA's external scaler protocol (gRPC)" ${grpc_is_there})
if(WINDLASS_GRPC AND NOT grpc_is_there)
  message(FATAL_ERROR "WINDLASS_GRPC needs grpc++, protoc and grpc_cpp_plugin")
endif()

# dep::grpc: the library, and the code made of src/live/external/externalscaler.proto, which is held
# to nobody's warnings.
if(WINDLASS_GRPC)
  set(proto_dir ${CMAKE_CURRENT_SOURCE_DIR}/src/live/external)
  set(made ${CMAKE_CURRENT_BINARY_DIR}/generated/proto)
  file(MAKE_DIRECTORY ${made})
  add_custom_command(
    OUTPUT ${made}/externalscaler.pb.cc ${made}/externalscaler.pb.h
      ${made}/externalscaler.grpc.pb.cc ${made}/externalscaler.grpc.pb.h
    COMMAND ${PROTOC} -I ${proto_dir} --cpp_out=${made} --grpc_out=${made}
      --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} externalscaler.proto
    DEPENDS ${proto_dir}/externalscaler.proto
    COMMENT "Generating the external scaler protocol" VERBATIM)
  add_library(external_scaler_proto STATIC ${made}/externalscaler.pb.cc
    ${made}/externalscaler.grpc.pb.cc)
  target_include_directories(external_scaler_proto SYSTEM PUBLIC ${made})
  target_link_libraries(external_scaler_proto PUBLIC PkgConfig::GRPC)
  windlass_dep(grpc external_scaler_proto)
else()
  windlass_dep(grpc)
endif()
