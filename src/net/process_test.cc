#include "net/process.h"

#include <cerrno>
#include <sys/wait.h>

#include <gtest/gtest.h>

#include "net/test_server.h"

namespace windlass::net {
namespace {

ProcessResult run(ProcessSpec spec) {
  EventLoop loop;
  std::optional<ProcessResult> result;
  run_process(loop, std::move(spec), [&](ProcessResult r) { result = std::move(r); });
  EXPECT_FALSE(result.has_value()) << "told inside the call";
  EXPECT_TRUE(run_until(loop, [&] { return result.has_value(); }));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a zombie is left";
  EXPECT_EQ(errno, ECHILD);
  return result.value_or(ProcessResult{});
}
ProcessSpec shell(const std::string& script) {
  ProcessSpec spec;
  spec.program = "sh";
  spec.arguments = {"-c", script};
  return spec;
}

TEST(Process, TakesWhatIsPrinted) {
  const ProcessResult result = run(shell("printf 'a b\\n'; printf hidden >&2; printf c"));
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.output, "a b\nc");
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(run(shell("head -c 300000 /dev/zero")).output.size(), 300'000U);
}

TEST(Process, PassesArgumentsAndEnvironment) {
  ProcessSpec spec = shell(R"(printf '%s|%s|%s|%s' "$0" "$1" "$WL_TEST" "${PATH:+own}")");
  spec.arguments.insert(spec.arguments.end(), {"zero", "a 'quoted' $one"});
  spec.environment = {{"WL_TEST", "first"}, {"WL_TEST", "x=y"}};
  EXPECT_EQ(run(spec).output, "zero|a 'quoted' $one|x=y|own");
}

TEST(Process, HasNoInputAndNoFilesOfOurs) {
  EXPECT_EQ(run(shell("cat; ls /proc/self/fd | wc -l")).output, "4\n") << "0, 1, 2 and ls' own";
}

TEST(Process, SaysHowItFailedButNotWhatWasPrinted) {
  const ProcessResult failed = run(shell("echo hunter2; exit 3"));
  EXPECT_EQ(failed.exit_code, 3);
  EXPECT_EQ(failed.output, "");
  EXPECT_EQ(failed.error, "sh: exited with 3");
  const ProcessResult killed = run(shell("kill -9 $$"));
  EXPECT_EQ(killed.exit_code, -1);
  EXPECT_EQ(killed.error, "sh: killed by signal 9");
  ProcessSpec absent;
  absent.program = "no-such-program-here";
  EXPECT_EQ(run(absent).error, "no-such-program-here: can't be started: No such file or directory");
}

TEST(Process, EndsWhatTakesTooLongOrSaysTooMuch) {
  ProcessSpec slow = shell("sleep 100 & sleep 100");
  slow.timeout = milliseconds(100);
  const ProcessResult late = run(slow);
  EXPECT_EQ(late.exit_code, -1);
  EXPECT_EQ(late.error, "sh: not done within 100ms, killed");
  // Has closed its output, but doesn't end.
  ProcessSpec silent = shell("exec >&-; sleep 100");
  silent.timeout = milliseconds(100);
  EXPECT_EQ(run(silent).error, "sh: not done within 100ms, killed");
  ProcessSpec loud = shell("yes");
  loud.max_output_bytes = 1000;
  EXPECT_EQ(run(loud).error, "sh: prints more than 1000 bytes, killed");
}

TEST(Process, DiesOfAClosedPipe) {
  // `yes` ends by SIGPIPE: that we ignore the signal is not handed down.
  EXPECT_EQ(run(shell("yes | head -n 1; true")).output, "y\n");
}

}  // namespace
}  // namespace windlass::net
