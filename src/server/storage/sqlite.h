// A thin face over SQLite for the journal: a connection, statements that reset themselves, errors
// as values with SQLite's own words. Private to this room.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct sqlite3;
struct sqlite3_stmt;

namespace windlass::server {

class Sqlite {
 public:
  // Opens or creates; waits for no lock. The file is made for its owner alone.
  static Result<Sqlite> open(const std::string& path);

  // What kind of failure the last one was.
  [[nodiscard]] bool is_locked() const;
  [[nodiscard]] bool is_damaged() const;  // also: no database at all
  [[nodiscard]] Error error() const;      // SQLite's words, without the path

  Status execute(const char* sql);
  // The first column of the first row; error if there is none.
  Result<int64_t> number(const char* sql);
  Result<std::string> text(const char* sql);
  [[nodiscard]] sqlite3* handle() const { return handle_.get(); }

 private:
  explicit Sqlite(sqlite3* handle);
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  std::unique_ptr<sqlite3, Close> handle_;
};

// A prepared statement. Bound text is borrowed until the row is done.
class Statement {
 public:
  Statement() = default;
  static Result<Statement> prepare(Sqlite& sqlite, const char* sql);

  void bind(int place, std::string_view text);
  void bind(int place, int64_t number);
  // True: a row stands ready. False: done. The statement is reset when done or failed.
  Result<bool> step();
  // To the end, whatever rows there are; ready for the next use.
  Status run();
  [[nodiscard]] std::string text(int column) const;
  [[nodiscard]] int64_t number(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* owner_ = nullptr;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

}  // namespace windlass::server
