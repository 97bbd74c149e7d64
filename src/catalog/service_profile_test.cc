#include "catalog/service_profile.h"

#include <cmath>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "catalog/shared_csv.h"

namespace windlass::catalog {
namespace {

ModelCard llama2_7b() { return *find_model("Llama-2-7B"); }

TEST(GpuCards, ByNameAndByInstanceType) {
  EXPECT_EQ(find_gpu("a100")->memory_gib, 40);
  EXPECT_EQ(find_gpu("h100")->bandwidth_gb_per_s, 3350);
  EXPECT_EQ(find_gpu("H100"), nullptr);
  const Catalog catalog = built_in(CatalogOptions{});
  const auto card = [&](const char* name) { return gpu_of(*catalog.find(name)); };
  EXPECT_EQ(card("p4d.24xlarge")->memory_gib, 40);
  EXPECT_EQ(card("p4de.24xlarge")->memory_gib, 80);
  EXPECT_EQ(card("p4de.24xlarge")->bandwidth_gb_per_s, 2039);
  EXPECT_EQ(card("p3dn.24xlarge")->memory_gib, 32);
  EXPECT_EQ(card("g5.xlarge")->name, "a10g");
  EXPECT_EQ(card("g6f.large"), nullptr) << "a fraction of an L4";
  EXPECT_EQ(card("g4ad.xlarge"), nullptr) << "AMD";
  EXPECT_EQ(card("m5.xlarge"), nullptr);
  for (const InstanceType& type : catalog.types) {
    const GpuCard* found = gpu_of(type);
    if (found == nullptr) continue;
    EXPECT_NEAR(found->memory_gib, static_cast<double>(type.gpu_memory_mib) / 1024, 0.01)
        << type.name;
  }
}

TEST(ModelCards, NamesOfTheSameWeights) {
  for (const char* name : {"Llama-2-7B", "meta-llama/Llama-2-7b-hf", "llama-2-7b-chat-hf"}) {
    ASSERT_NE(find_model(name), nullptr) << name;
    EXPECT_EQ(find_model(name)->kv_bytes_per_token, 524288);
  }
  EXPECT_EQ(find_model("meta-llama/Meta-Llama-3-8B-Instruct")->name, "Llama-3-8B");
  EXPECT_EQ(find_model("Llama-2-7B-AWQ"), nullptr);
  EXPECT_EQ(find_model(""), nullptr);
}

// The sheet's roofline column: a in ms and p in ms a token of a 7B model in fp16.
TEST(Roofline, ReproducesTheSheet) {
  struct Row {
    const char* gpu;
    double a;
    double p;
  };
  const Row rows[] = {{"t4", 56, 0.31},     {"v100", 20, 0.16},   {"a10g", 30, 0.29},
                      {"l4", 60, 0.17},     {"l40s", 21, 0.056},  {"a100", 11.6, 0.065},
                      {"h100", 5.4, 0.020}, {"h200", 3.7, 0.020}, {"b200", 2.2, 0.009}};
  for (const Row& row : rows) {
    SCOPED_TRACE(row.gpu);
    const auto profile = roofline_profile(llama2_7b(), *find_gpu(row.gpu));
    ASSERT_TRUE(profile.ok()) << profile.error().message();
    EXPECT_NEAR(profile->iteration_base_ms, row.a, row.a * 0.03);
    EXPECT_NEAR(profile->prefill_ms_per_token, row.p, row.p * 0.03);
  }
}

TEST(Roofline, KvCapacityIsWhatTheWeightsLeave) {
  const auto t4 = roofline_profile(llama2_7b(), *find_gpu("t4"));
  // 16 GiB * 0.9 - 1 GiB - 12.55 GiB of weights = 0.85 GiB, at half a MiB a token.
  EXPECT_NEAR(static_cast<double>(t4->kv_capacity_tokens), 1740, 10);
  ModelCard half = llama2_7b();
  half.tensor_parallel = 2;
  const auto two = roofline_profile(half, *find_gpu("t4"));
  EXPECT_NEAR(static_cast<double>(two->kv_capacity_tokens), 2 * 1740 + 12.55 * 2048, 20);
  EXPECT_DOUBLE_EQ(two->iteration_base_ms * 2, t4->iteration_base_ms);
  EXPECT_DOUBLE_EQ(two->context_ms_per_token * 2, t4->context_ms_per_token);
}

TEST(Roofline, RefusesWhatCannotBe) {
  const auto error = [](const ModelCard& model, const GpuCard& gpu) {
    const auto profile = roofline_profile(model, gpu);
    return profile.ok() ? std::string() : profile.error().message();
  };
  const std::string too_big = error(*find_model("Llama-2-70B"), *find_gpu("h100"));
  EXPECT_NE(too_big.find("do not fit 1 x h100"), std::string::npos) << too_big;
  ModelCard model = llama2_7b();
  model.memory_utilization = 1.5;
  EXPECT_NE(error(model, *find_gpu("h100")).find("utilization"), std::string::npos);
  model = llama2_7b();
  model.tensor_parallel = 0;
  EXPECT_NE(error(model, *find_gpu("h100")).find("tensor parallel"), std::string::npos);
  model = llama2_7b();
  model.kv_bytes_per_token = std::nan("");
  EXPECT_NE(error(model, *find_gpu("h100")).find("KV"), std::string::npos);
  EXPECT_NE(error(llama2_7b(), GpuCard{}).find("bandwidth"), std::string::npos);
}

TEST(Measured, OnlyWhatWasMeasured) {
  EXPECT_TRUE(measured_profile("Llama-2-7b-hf", "a100", 1).has_value());
  EXPECT_FALSE(measured_profile("Llama-2-7B", "t4", 1).has_value());
  EXPECT_FALSE(measured_profile("Llama-2-70B", "h100", 1).has_value()) << "does not fit";
  EXPECT_TRUE(measured_profile("Llama-2-70B", "h100", 4).has_value());
  // The A100 with 40 GiB is slower than the one that was measured.
  EXPECT_FALSE(measured_profile(llama2_7b(), *find_gpu("a100")).has_value());
  ModelCard quantized = llama2_7b();
  quantized.bytes_per_weight = 1;
  EXPECT_FALSE(measured_profile(quantized, *find_gpu("h100")).has_value());
}

TEST(Iteration, IsTheLongerOfMemoryAndArithmetic) {
  ServiceProfile profile;
  profile.iteration_base_ms = 10;
  profile.decode_ms_per_sequence = 0.05;
  profile.prefill_ms_per_token = 0.1;
  profile.prefill_base_ms = 2;
  profile.context_ms_per_token = 0.001;
  EXPECT_DOUBLE_EQ(iteration_ms(profile, 0, 20, 1000), 10 + 1 + 1);
  EXPECT_DOUBLE_EQ(iteration_ms(profile, 40, 20, 1000), 10 + 3 + 1);
  EXPECT_DOUBLE_EQ(iteration_ms(profile, 500, 20, 1000), 2 + 52 + 1);
  profile.decode_ms_per_sequence = 0.4;
  EXPECT_DOUBLE_EQ(iteration_ms(profile, 500, 20, 0), 10 + 50 + 8);
}

RC_GTEST_PROP(Iteration, MoreWorkNeverTakesLess, ()) {
  ServiceProfile profile;
  profile.iteration_base_ms = *rc::gen::inRange(0, 1000) / 10.0;
  profile.prefill_base_ms = profile.iteration_base_ms * *rc::gen::inRange(0, 101) / 100.0;
  profile.decode_ms_per_sequence = *rc::gen::inRange(0, 1000) / 1000.0;
  profile.prefill_ms_per_token = *rc::gen::inRange(0, 1000) / 1000.0;
  profile.context_ms_per_token = *rc::gen::inRange(0, 100) / 1e6;
  const int prefill = *rc::gen::inRange(0, 4096);
  const int decode = *rc::gen::inRange(0, 256);
  const int context = *rc::gen::inRange(0, 100000);
  const double now = iteration_ms(profile, prefill, decode, context);
  RC_ASSERT(now >= profile.iteration_base_ms);
  RC_ASSERT(iteration_ms(profile, prefill + 1, decode, context) >= now);
  RC_ASSERT(iteration_ms(profile, prefill, decode + 1, context) >= now);
  RC_ASSERT(iteration_ms(profile, prefill, decode, context + 1) >= now);
}

struct Region {
  int low;
  int high;
};
constexpr Region kRegions[] = {{1, 128}, {129, 256}, {257, 511}, {512, 4096}};

// Mean relative error in per cent over the measured iterations of low..high tokens.
double mean_error(const std::vector<CsvRow>& rows, const char* device, const Region& region,
                  const ServiceProfile& profile) {
  double sum = 0;
  int count = 0;
  for (const CsvRow& row : rows) {
    if (row.at("device") != device || row.at("model") != "Llama-2-7b-hf") continue;
    if (row.at("tensor_parallel") != "1") continue;
    const auto tokens = static_cast<int>(parse_int(row.at("num_tokens")).value());
    if (tokens < region.low || tokens > region.high) continue;
    const double measured = parse_double(row.at("linear_ops_ms_per_iteration")).value();
    // Up to 128 tokens as decoding sequences, above as prompt tokens: what servers make of them.
    const bool decode = tokens <= 128;
    const double predicted = iteration_ms(profile, decode ? 0 : tokens, decode ? tokens : 0, 0);
    sum += std::abs(predicted / measured - 1) * 100;
    ++count;
  }
  EXPECT_GT(count, 10) << device;
  return sum / count;
}

TEST(Calibration, MeasuredProfilesAreWithinNinePercentInEveryRegion) {
  const auto rows = read_shared_csv("traces/calibration_vidur_linear_iteration_ms.csv");
  if (!rows) GTEST_SKIP() << "no ../shared/data/traces/calibration_vidur_linear_iteration_ms.csv";
  for (const char* device : {"a40", "a100", "h100"}) {
    const auto profile = measured_profile("Llama-2-7B", device, 1);
    ASSERT_TRUE(profile.has_value());
    for (const Region& region : kRegions) {
      const double error = mean_error(*rows, device, region, *profile);
      EXPECT_LT(error, 9) << device << " " << region.low << "-" << region.high;
    }
  }
}

// The roofline's two constants serve all GPUs, so it is coarser: the +-25 % its header promises.
// Where neither memory nor arithmetic dominates (257-511 tokens) an H100 is 22 % off.
TEST(Calibration, RooflineIsWithinAQuarter) {
  const auto rows = read_shared_csv("traces/calibration_vidur_linear_iteration_ms.csv");
  if (!rows) GTEST_SKIP() << "no ../shared/data/traces/calibration_vidur_linear_iteration_ms.csv";
  for (const char* device : {"a40", "a100", "h100"}) {
    for (const GpuCard& gpu : gpu_cards()) {
      if (gpu.name != device || gpu.memory_gib == 40) continue;
      const auto profile = roofline_profile(llama2_7b(), gpu);
      for (const Region& region : kRegions) {
        const double error = mean_error(*rows, device, region, *profile);
        EXPECT_LT(error, 25) << device << " " << region.low << "-" << region.high;
      }
    }
  }
}

}  // namespace
}  // namespace windlass::catalog
