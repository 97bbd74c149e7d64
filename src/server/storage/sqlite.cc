#include "server/storage/sqlite.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace windlass::server {
namespace {

Error error_of(sqlite3* handle) { return Error(sqlite3_errmsg(handle)); }

// SQLite makes its files readable for all, and the cluster's secrets are in here. Only a file that
// is not there is opened: closing another descriptor of a database would drop SQLite's locks on it.
Status make_private(const std::string& path) {
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
  if (file >= 0) {
    ::close(file);
    return {};
  }
  return errno == EEXIST ? Status() : Status(Error(std::strerror(errno)));
}

}  // namespace

void Sqlite::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Sqlite::Sqlite(sqlite3* handle) : handle_(handle) {}

Result<Sqlite> Sqlite::open(const std::string& path) {
  if (Status s = make_private(path); !s.ok()) return s.error();
  sqlite3* handle = nullptr;
  const int code =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  Sqlite out(handle);
  if (handle == nullptr) return Error("out of memory");
  if (code != SQLITE_OK) return out.error();
  sqlite3_extended_result_codes(handle, 1);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return out;
}

bool Sqlite::is_locked() const {
  const int code = sqlite3_errcode(handle_.get()) & 0xff;
  return code == SQLITE_BUSY || code == SQLITE_LOCKED;
}

bool Sqlite::is_damaged() const {
  const int code = sqlite3_errcode(handle_.get()) & 0xff;
  return code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
}

Error Sqlite::error() const { return error_of(handle_.get()); }

Status Sqlite::execute(const char* sql) {
  const int code = sqlite3_exec(handle_.get(), sql, nullptr, nullptr, nullptr);
  return code == SQLITE_OK ? Status() : Status(error());
}

Result<std::string> Sqlite::text(const char* sql) {
  Result<Statement> statement = Statement::prepare(*this, sql);
  if (!statement.ok()) return statement.error();
  const Result<bool> row = statement->step();
  if (!row.ok()) return row.error();
  if (!*row) return Error("a row is missing");
  return statement->text(0);
}

Result<int64_t> Sqlite::number(const char* sql) {
  Result<Statement> statement = Statement::prepare(*this, sql);
  if (!statement.ok()) return statement.error();
  const Result<bool> row = statement->step();
  if (!row.ok()) return row.error();
  if (!*row) return Error("a row is missing");
  return statement->number(0);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Result<Statement> Statement::prepare(Sqlite& sqlite, const char* sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v3(sqlite.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &raw, nullptr);
  Statement out;
  out.owner_ = sqlite.handle();
  out.statement_.reset(raw);
  if (code != SQLITE_OK) return sqlite.error();
  return out;
}

void Statement::bind(int place, std::string_view text) {
  // A null pointer would bind NULL, and an empty view may have one.
  const char* data = text.data() == nullptr ? "" : text.data();
  sqlite3_bind_text64(statement_.get(), place, data, text.size(), SQLITE_STATIC, SQLITE_UTF8);
}

void Statement::bind(int place, int64_t number) {
  sqlite3_bind_int64(statement_.get(), place, number);
}

Result<bool> Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) {
    sqlite3_reset(statement_.get());
    return false;
  }
  Error error = error_of(owner_);
  sqlite3_reset(statement_.get());
  return error;
}

Status Statement::run() {
  for (;;) {
    const Result<bool> row = step();
    if (!row.ok()) return row.error();
    if (!*row) return {};
  }
}

std::string Statement::text(int column) const {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_.get(), column));
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return bytes == nullptr ? std::string() : std::string(bytes, static_cast<size_t>(size));
}

int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

}  // namespace windlass::server
