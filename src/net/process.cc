#include "net/process.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <event2/event.h>
#include <fcntl.h>
#include <memory>
#include <spawn.h>
#include <string_view>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>

namespace windlass::net {

namespace {

// Between the end of the output and the end of the program there is hardly ever any time.
constexpr Duration kFirstLook = milliseconds(1);
constexpr Duration kLongestLook = milliseconds(50);

// Owns itself: lives until `done` has been called.
struct RunningProcess {
  EventLoop& loop;
  ProcessSpec spec;
  std::function<void(ProcessResult)> done;
  pid_t pid = -1;
  int output_fd = -1;
  event* readable = nullptr;
  event* deadline = nullptr;
  event* look = nullptr;
  Duration next_look = kFirstLook;
  ProcessResult result{};
};

timeval timeval_of(Duration d) {
  const int64_t us = std::max<int64_t>(0, d.ns / 1000);
  return {static_cast<time_t>(us / 1'000'000), static_cast<suseconds_t>(us % 1'000'000)};
}

void stop_reading(RunningProcess& process) {
  if (process.readable != nullptr) event_free(std::exchange(process.readable, nullptr));
  if (process.output_fd >= 0) ::close(std::exchange(process.output_fd, -1));
}

void finish(RunningProcess* process) {
  const std::unique_ptr<RunningProcess> owned(process);
  stop_reading(*owned);
  for (event* handle : {owned->deadline, owned->look}) {
    if (handle != nullptr) event_free(handle);
  }
  if (owned->result.exit_code != 0) owned->result.output.clear();
  owned->done(std::move(owned->result));
}

// Ends the program and all it started; the next look takes its remains away.
void kill_process(RunningProcess& process, std::string why) {
  if (process.result.error.empty()) process.result.error = std::move(why);
  ::kill(-process.pid, SIGKILL);
  ::kill(process.pid, SIGKILL);
  stop_reading(process);
}

void look_for_end(RunningProcess& process) {
  int status = 0;
  const pid_t ended = ::waitpid(process.pid, &status, WNOHANG);
  if (ended == 0 || (ended < 0 && errno == EINTR)) {
    const timeval wait = timeval_of(process.next_look);
    process.next_look = std::min(process.next_look * 2, kLongestLook);
    evtimer_add(process.look, &wait);
    return;
  }
  const std::string& name = process.spec.program;
  std::string& error = process.result.error;
  if (ended < 0) {
    error = name + ": its end was missed";
  } else if (error.empty() && WIFEXITED(status)) {
    process.result.exit_code = WEXITSTATUS(status);
    if (process.result.exit_code != 0) {
      error = name + ": exited with " + std::to_string(process.result.exit_code);
    }
  } else if (error.empty()) {
    error = name + ": killed by signal " + std::to_string(WTERMSIG(status));
  }
  finish(&process);
}

void on_look(evutil_socket_t, short, void* self) {
  look_for_end(*static_cast<RunningProcess*>(self));
}

void on_deadline(evutil_socket_t, short, void* self) {
  auto& process = *static_cast<RunningProcess*>(self);
  kill_process(process, process.spec.program + ": not done within " +
                            to_string(process.spec.timeout) + ", killed");
  process.next_look = kFirstLook;
  look_for_end(process);
}

void on_output(evutil_socket_t fd, short, void* self) {
  auto& process = *static_cast<RunningProcess*>(self);
  std::array<char, 16384> buffer;
  const ssize_t size = ::read(fd, buffer.data(), buffer.size());
  if (size < 0 && (errno == EINTR || errno == EAGAIN)) return;
  if (size > 0) {
    process.result.output.append(buffer.data(), static_cast<size_t>(size));
    const size_t limit = process.spec.max_output_bytes;
    if (process.result.output.size() <= limit) return;
    kill_process(process, process.spec.program + ": prints more than " + std::to_string(limit) +
                              " bytes, killed");
  }
  stop_reading(process);
  look_for_end(process);
}

std::vector<std::string> environment_of(const ProcessSpec& spec) {
  std::vector<std::string> out;
  out.reserve(spec.environment.size());
  for (const auto& [name, value] : spec.environment) {
    out.push_back(name);
    out.back().append("=").append(value);
  }
  // A name that is given hides the own one, and so does the later of two.
  std::vector<std::string> kept;
  const auto is_named = [](std::string_view entry, std::string_view other) {
    const size_t length = entry.find('=') + 1;
    return entry.substr(0, length) == other.substr(0, length);
  };
  const auto add = [&](const std::string& entry) {
    if (std::none_of(kept.begin(), kept.end(),
                     [&](const std::string& other) { return is_named(entry, other); })) {
      kept.push_back(entry);
    }
  };
  std::for_each(out.rbegin(), out.rend(), add);
  for (char** entry = environ; *entry != nullptr; ++entry) add(*entry);
  return kept;
}

std::vector<char*> pointers_to(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (std::string& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

// Its own group, so that a time-out ends what it started as well; nothing of ours but standard
// error is open in it. Gives an errno.
int spawn(RunningProcess& process, int output) {
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  posix_spawnattr_init(&attributes);
  sigset_t to_default;
  sigset_t blocked;
  sigemptyset(&blocked);
  sigemptyset(&to_default);
  sigaddset(&to_default, SIGPIPE);  // the loop ignores it
  posix_spawnattr_setsigdefault(&attributes, &to_default);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setpgroup(&attributes, 0);
  posix_spawnattr_setflags(&attributes,
                           POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETPGROUP);
  std::vector<std::string> arguments = process.spec.arguments;
  arguments.insert(arguments.begin(), process.spec.program);
  std::vector<std::string> environment = environment_of(process.spec);
  const int failed = ::posix_spawnp(&process.pid, process.spec.program.c_str(), &files, &attributes,
                                    pointers_to(arguments).data(), pointers_to(environment).data());
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  return failed;
}

std::string start(RunningProcess& process) {
  std::array<int, 2> ends{-1, -1};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return process.spec.program + ": no pipe: " + std::generic_category().message(errno);
  }
  const int failed = spawn(process, ends[1]);
  ::close(ends[1]);
  process.output_fd = ends[0];
  if (failed != 0) {
    return process.spec.program + ": can't be started: " + std::generic_category().message(failed);
  }
  ::fcntl(ends[0], F_SETFL, O_NONBLOCK);
  return {};
}

}  // namespace

void run_process(EventLoop& loop, ProcessSpec spec, std::function<void(ProcessResult)> done) {
  auto owned = std::unique_ptr<RunningProcess>(
      new RunningProcess{.loop = loop, .spec = std::move(spec), .done = std::move(done)});
  RunningProcess* process = owned.release();
  process->result.error = start(*process);
  if (!process->result.error.empty()) {
    loop.after(Duration{}, [process] { finish(process); });
    return;
  }
  process->look = evtimer_new(loop.base(), &on_look, process);
  process->deadline = evtimer_new(loop.base(), &on_deadline, process);
  const timeval limit = timeval_of(process->spec.timeout);
  evtimer_add(process->deadline, &limit);
  process->readable =
      event_new(loop.base(), process->output_fd, EV_READ | EV_PERSIST, &on_output, process);
  event_add(process->readable, nullptr);
}

}  // namespace windlass::net
