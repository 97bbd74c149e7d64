#include "sim/job_trace.h"

#include <gtest/gtest.h>

namespace windlass::sim {
namespace {

TEST(JobTrace, ReadsColumnsInAnyOrder) {
  const auto jobs =
      parse_job_trace("gpus,time_s,work_gpu_s,name\r\n2, 1.5 ,60,a\n\n1,3,10,b\n", {});
  ASSERT_TRUE(jobs.ok()) << jobs.error().message();
  ASSERT_EQ(jobs->size(), 2u);
  EXPECT_EQ((*jobs)[0].gpus, 2);
  EXPECT_EQ((*jobs)[0].arrival, milliseconds(1500));
  EXPECT_EQ((*jobs)[1].name, "b");
}

TEST(JobTrace, NamesLineAndColumnOfWhatIsWrong) {
  const struct {
    const char* text;
    const char* said;
  } cases[] = {
      {"", "header"},
      {"time_s,gpus\n", "no column work_gpu_s"},
      {"time_s,gpus,work_gpu_s\n1,x,3\n", "line 2: gpus"},
      {"time_s,gpus,work_gpu_s\n1,0,3\n", "line 2: gpus"},
      {"time_s,gpus,work_gpu_s\n-1,1,3\n", "line 2: time_s"},
      {"time_s,gpus,work_gpu_s\n1,1\n", "line 2: 2 cells"},
      {"time_s,gpus,work_gpu_s\n1,1,nan\n", "line 2: work_gpu_s"},
  };
  for (const auto& one : cases) {
    const auto jobs = parse_job_trace(one.text, {});
    ASSERT_FALSE(jobs.ok()) << one.text;
    EXPECT_NE(jobs.error().message().find(one.said), std::string::npos) << jobs.error().message();
  }
}

}  // namespace
}  // namespace windlass::sim
