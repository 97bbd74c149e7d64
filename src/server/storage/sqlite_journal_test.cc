#include "server/storage/sqlite_journal.h"

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "base/rng.h"

namespace windlass::server {
namespace {

using cluster::ObjectKey;
using cluster::ObjectStore;

struct Scratch {
  Scratch() {
    std::string pattern = testing::TempDir() + "windlass-XXXXXX";
    directory = ::mkdtemp(pattern.data());
    path = directory + "/state.db";
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  std::string directory;
  std::string path;
};

ObjectKey key(const std::string& name) { return {"pods", "ns", name}; }
Json pod(const std::string& name, int value = 0) {
  return {{"metadata", {{"name", name}, {"uid", "u-" + name}}}, {"value", value}};
}

// A journal with its store, as a process has them.
struct Process {
  explicit Process(const std::string& path) : journal(open(path)) {
    EXPECT_TRUE(journal.load(store).ok());
    journal.follow(store);
  }
  static SqliteJournal open(const std::string& path) {
    Result<SqliteJournal> made = SqliteJournal::open(path);
    EXPECT_TRUE(made.ok()) << made.error().message();
    return *std::move(made);
  }
  void commit() {
    const Status status = journal.commit();
    ASSERT_TRUE(status.ok()) << status.error().message();
  }
  [[nodiscard]] std::string all() const {
    std::string out;
    for (const auto& document : store.list("pods")) out += document->json + "\n";
    return out;
  }
  SqliteJournal journal;
  ObjectStore store;
};

std::string open_error(const std::string& path) {
  const Result<SqliteJournal> made = SqliteJournal::open(path);
  return made.ok() ? "" : made.error().message();
}

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}
void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

TEST(SqliteJournal, KeepsTheStateOfTheLastCommit) {
  Scratch scratch;
  std::string before;
  {
    Process p(scratch.path);
    p.commit();
    p.store.put(key("a"), pod("a"));
    p.store.put(key("b"), pod("b"));
    p.store.put({"nodes", "", "n"}, pod("n"));
    p.commit();
    p.store.put(key("a"), pod("a", 2));
    p.store.remove(key("b"));
    p.store.put(key("c"), pod("c"));
    p.store.put(key("gone"), pod("gone"));
    p.store.remove(key("gone"));
    p.commit();
    before = p.all();
    p.store.put(key("d"), pod("d"));  // never committed
  }
  Process p(scratch.path);
  EXPECT_EQ(p.all(), before);
  EXPECT_EQ(p.store.count("pods"), 2u);
  EXPECT_EQ(p.store.count("nodes"), 1u);
  EXPECT_EQ(p.store.resource_version(), 8u);
  EXPECT_EQ(p.store.put(key("d"), pod("d"))->resource_version, 9u);
}

TEST(SqliteJournal, TheVersionGoesOnThoughNothingIsLeft) {
  Scratch scratch;
  {
    Process p(scratch.path);
    p.store.put(key("a"), pod("a"));
    p.store.remove(key("a"));
    p.commit();
  }
  Process p(scratch.path);
  EXPECT_EQ(p.store.resource_version(), 2u);
  EXPECT_EQ(p.store.count("pods"), 0u);
}

TEST(SqliteJournal, KeepsParts) {
  Scratch scratch;
  {
    Process p(scratch.path);
    p.journal.save_part("clock", {{"now", 5}});
    p.journal.save_part("gone", 1);
    p.commit();
    p.journal.save_part("gone", nullptr);
    p.journal.save_part("never", nullptr);
    p.journal.save_part("text", "\xff");
    EXPECT_EQ(p.journal.parts().size(), 2u);
    p.commit();
    p.journal.save_part("clock", 6);  // never committed
  }
  Process p(scratch.path);
  const auto parts = p.journal.parts();
  ASSERT_EQ(parts.size(), 2u);
  EXPECT_EQ(parts.at("clock"), Json({{"now", 5}}));
  EXPECT_EQ(parts.at("text"), "\xEF\xBF\xBD");
}

TEST(SqliteJournal, ACommitOfNothingWritesNothing) {
  Scratch scratch;
  Process p(scratch.path);
  p.journal.save_part("clock", 5);
  p.commit();
  const auto size = std::filesystem::file_size(scratch.path + "-wal");
  for (int i = 0; i < 10; ++i) {
    p.journal.save_part("clock", 5);  // as it was
    p.commit();
  }
  EXPECT_EQ(std::filesystem::file_size(scratch.path + "-wal"), size);
}

TEST(SqliteJournal, NamesWithAnyBytesAreKept) {
  Scratch scratch;
  const ObjectKey odd{"x.y", "", std::string("a'b\"c;--\n\xC3\xA4")};
  {
    Process p(scratch.path);
    p.store.put(odd, pod("a"));
    p.commit();
  }
  Process p(scratch.path);
  EXPECT_NE(p.store.find(odd), nullptr);
}

TEST(SqliteJournal, IsForItsOwnerAlone) {
  Scratch scratch;
  Process p(scratch.path);
  p.store.put(key("a"), pod("a"));
  p.commit();
  for (const char* ending : {"", "-wal"}) {
    struct stat found {};
    ASSERT_EQ(::stat((scratch.path + ending).c_str(), &found), 0);
    EXPECT_EQ(found.st_mode & 0777U, 0600u) << ending;
  }
}

TEST(SqliteJournal, IsUsedByOneProcessAtATime) {
  Scratch scratch;
  {
    Process p(scratch.path);
    const std::string error = open_error(scratch.path);
    EXPECT_NE(error.find("in use"), std::string::npos) << error;
    EXPECT_NE(error.find(scratch.path), std::string::npos) << error;
    p.store.put(key("a"), pod("a"));
    p.commit();
    const pid_t child = ::fork();
    if (child == 0) {
      ::_exit(open_error(scratch.path).find("in use") == std::string::npos ? 1 : 0);
    }
    int status = -1;
    ::waitpid(child, &status, 0);
    EXPECT_EQ(status, 0);
    p.store.put(key("b"), pod("b"));
    p.commit();
  }
  EXPECT_EQ(Process(scratch.path).store.count("pods"), 2u);
}

TEST(SqliteJournal, RefusesForeignNewerAndImpossibleFiles) {
  Scratch scratch;
  const auto make = [&scratch](const char* name, const char* sql) {
    const std::string path = scratch.directory + "/" + name;
    sqlite3* db = nullptr;
    sqlite3_open(path.c_str(), &db);
    EXPECT_EQ(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
    return path;
  };
  const auto refuses = [](const std::string& path, const std::string& word) {
    const std::string before = std::filesystem::is_regular_file(path) ? read(path) : "";
    const std::string error = open_error(path);
    EXPECT_NE(error.find(word), std::string::npos) << path << ": " << error;
    EXPECT_NE(error.find(path), std::string::npos) << error;
    if (!before.empty()) {
      EXPECT_TRUE(read(path) == before) << path;  // not touched
    }
  };
  refuses(make("foreign", "CREATE TABLE t(x); INSERT INTO t VALUES(1)"), "another program");
  refuses(make("foreign2", "PRAGMA application_id = 7; CREATE TABLE t(x)"), "another program");
  {
    Process p(scratch.path);
    p.commit();
  }
  refuses(make("state.db", "PRAGMA user_version = 2"), "newer");
  write(scratch.directory + "/text", std::string(5000, 'x'));
  refuses(scratch.directory + "/text", "no Windlass journal");
  refuses(scratch.directory + "/none/state.db", "No such file");
  refuses(scratch.directory, "");
  EXPECT_FALSE(open_error(scratch.directory).empty());

  const std::string empty = scratch.directory + "/empty";
  write(empty, "");
  EXPECT_EQ(open_error(empty), "");
}

// One byte after another is changed on the disk: the file is refused or what comes is unharmed, and
// nothing breaks.
TEST(SqliteJournal, DamageIsFoundOrHarmless) {
  Scratch scratch;
  std::string expected;
  {
    Process p(scratch.path);
    for (int i = 0; i < 60; ++i) p.store.put(key("p" + std::to_string(i)), pod("p", i));
    Json large = pod("large");
    large["data"] = std::string(20'000, 'x');
    p.store.put(key("large"), large);
    p.journal.save_part("clock", 5);
    p.commit();
    expected = p.all();
  }
  const std::string good = read(scratch.path);
  Rng rng(7, "damage");
  int refused = 0;
  for (int round = 0; round < 150; ++round) {
    std::string bad = good;
    const size_t at = rng.below(bad.size());
    if (round % 10 == 0) {
      bad.resize(at);
    } else {
      bad[at] = static_cast<char>(bad[at] ^ (1 << rng.below(8)));
    }
    std::filesystem::remove(scratch.path + "-wal");
    write(scratch.path, bad);
    Result<SqliteJournal> journal = SqliteJournal::open(scratch.path);
    ObjectStore store;
    Status loaded;
    if (journal.ok()) loaded = journal->load(store);
    if (!journal.ok() || !loaded.ok()) {
      ++refused;
      const std::string message = (journal.ok() ? loaded.error() : journal.error()).message();
      EXPECT_NE(message.find(scratch.path), std::string::npos) << message;
      continue;
    }
    if (bad.empty()) continue;  // an empty file is a new journal
    std::string all;
    for (const auto& document : store.list("pods")) all += document->json + "\n";
    EXPECT_TRUE(all == expected) << "byte " << at << " of " << good.size();
  }
  EXPECT_GT(refused, 30);
}

// Writes and commits until it is killed, and says every version once it is committed.
[[noreturn]] void write_until_killed(const std::string& path, int tell, uint64_t seed) {
  {
    Result<SqliteJournal> journal = SqliteJournal::open(path);
    ObjectStore store;
    if (!journal.ok() || !journal->load(store).ok()) ::_exit(1);
    journal->follow(store);
    Rng rng(seed, "writer");
    for (;;) {
      for (uint64_t i = rng.below(4) + 1; i > 0; --i) {
        const std::string name = "p" + std::to_string(rng.below(40));
        if (rng.below(4) == 0) {
          store.remove(key(name));
        } else {
          Json object = pod(name, static_cast<int>(rng.below(1000)));
          object["fill"] = std::string(rng.below(3000), 'f');
          store.put(key(name), std::move(object));
        }
        // The model: what is there, told whole, so that the parent need not repeat the choices.
      }
      if (!journal->commit().ok()) ::_exit(2);
      uint64_t digest[2] = {store.resource_version(), 0};
      for (const auto& document : store.list("pods")) {
        digest[1] = digest[1] * 1'000'003 + document->resource_version;
      }
      if (::write(tell, digest, sizeof(digest)) != sizeof(digest)) ::_exit(3);
    }
  }
}

TEST(SqliteJournal, AKillAtAnyMomentLosesNothingThatWasCommitted) {
  constexpr int kRounds = 30;
  Scratch scratch;
  Rng rng(11, "killer");
  uint64_t acknowledged_in_all = 0;
  for (int round = 0; round < kRounds; ++round) {
    int pipe[2];
    ASSERT_EQ(::pipe(pipe), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      ::close(pipe[0]);
      write_until_killed(scratch.path, pipe[1], static_cast<uint64_t>(round));
    }
    ::close(pipe[1]);
    // Killed after so many commits, and a little later, anywhere in the next one.
    std::map<uint64_t, uint64_t> told;
    uint64_t last = 0;
    uint64_t digest[2];
    const uint64_t stop_after = 1 + rng.below(60);
    for (uint64_t i = 0; i < stop_after; ++i) {
      ASSERT_EQ(::read(pipe[0], digest, sizeof(digest)), ssize_t{sizeof(digest)});
      told[digest[0]] = digest[1];
      last = digest[0];
    }
    ::usleep(static_cast<useconds_t>(rng.below(1500)));
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_TRUE(WIFSIGNALED(status)) << status;
    while (::read(pipe[0], digest, sizeof(digest)) == sizeof(digest)) {
      told[digest[0]] = digest[1];
      last = digest[0];
    }
    ::close(pipe[0]);
    acknowledged_in_all += told.size();

    Process p(scratch.path);
    // One commit beyond the last that was told may be there; nothing may be missing.
    ASSERT_GE(p.store.resource_version(), last);
    ASSERT_LE(p.store.resource_version(), last + 4);
    uint64_t found = 0;
    for (const auto& document : p.store.list("pods")) {
      found = found * 1'000'003 + document->resource_version;
      ASSERT_EQ(std::to_string(document->resource_version),
                Json::parse(document->json)["metadata"]["resourceVersion"]);
    }
    if (p.store.resource_version() == last) {
      EXPECT_EQ(found, told[last]) << "round " << round;
    }
  }
  EXPECT_GT(acknowledged_in_all, kRounds * 2u);
}

TEST(SqliteJournal, AFailedCommitIsFinal) {
  Scratch scratch;
  Process p(scratch.path);
  p.store.put(key("a"), pod("a"));
  p.commit();
  // No file of this process may grow: as if the disk were full.
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  rlimit none = before;
  none.rlim_cur = std::filesystem::file_size(scratch.path + "-wal");
  ::setrlimit(RLIMIT_FSIZE, &none);
  Json large = pod("b");
  large["data"] = std::string(200'000, 'x');
  p.store.put(key("b"), large);
  const Status failed = p.journal.commit();
  ::setrlimit(RLIMIT_FSIZE, &before);
  ASSERT_FALSE(failed.ok());
  EXPECT_NE(failed.error().message().find(scratch.path), std::string::npos);
  EXPECT_FALSE(p.journal.commit().ok());
}

}  // namespace
}  // namespace windlass::server
