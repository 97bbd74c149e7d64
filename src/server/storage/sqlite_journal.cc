#include "server/storage/sqlite_journal.h"

#include <initializer_list>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/hash.h"
#include "server/storage/sqlite.h"

namespace windlass::server {
namespace {

using cluster::DocumentPtr;
using cluster::ObjectKey;
using cluster::ObjectStore;
using cluster::StoreEvent;

// SQLite's own mark of whose file it is ("Wdls"), and the version of what is in it.
constexpr int64_t kApplication = 0x57646c73;
constexpr int64_t kFormat = 1;

// `hash` finds what no check of structure can: a byte of a row that has changed on the disk.
constexpr const char* kSchema = R"(
  CREATE TABLE objects(resource TEXT NOT NULL, namespace TEXT NOT NULL, name TEXT NOT NULL,
                       version INTEGER NOT NULL, json TEXT NOT NULL, hash INTEGER NOT NULL,
                       PRIMARY KEY(resource, namespace, name));
  CREATE TABLE parts(name TEXT PRIMARY KEY NOT NULL, json TEXT NOT NULL, hash INTEGER NOT NULL);
  CREATE TABLE meta(name TEXT PRIMARY KEY NOT NULL, value INTEGER NOT NULL,
                    hash INTEGER NOT NULL);
  PRAGMA application_id = 1466199155;
  PRAGMA user_version = 1;
)";
static_assert(kApplication == 1466199155 && kFormat == 1, "as the schema says");

int64_t hash_of(std::initializer_list<std::string_view> row) {
  Hash64 hash;
  for (const std::string_view text : row) hash.add(text);
  return static_cast<int64_t>(hash.value());
}

int64_t hash_of(const ObjectKey& key, std::string_view json) {
  return hash_of({key.resource, key.namespace_name, key.name, json});
}

int64_t hash_of(uint64_t version) { return hash_of({std::to_string(version)}); }

}  // namespace

struct SqliteJournal::Impl {
  Impl(std::string file, Sqlite db) : path(std::move(file)), sqlite(std::move(db)) {}

  std::string path;
  Sqlite sqlite;
  Statement put_object;
  Statement remove_object;
  Statement put_part;
  Statement remove_part;
  Statement put_version;

  uint64_t version = 0;
  uint64_t version_written = 0;
  std::map<ObjectKey, DocumentPtr> changed;  // null: removed. The last state of each key
  std::map<std::string, std::string> part_texts;
  std::set<std::string> parts_changed;
  std::optional<Error> broken;

  [[nodiscard]] Error error(const Error& inner) const { return inner.in(path); }
  // The last failure, in words for a person.
  [[nodiscard]] Error explain() const;
  Status take_lock();
  Status check_format();
  Status set_up();
  Status prepare();
  Status load_version();
  Status load_parts();
  Status write_all();
  void note(const StoreEvent& event);
};

Error SqliteJournal::Impl::explain() const {
  if (sqlite.is_locked()) return Error(path + ": in use by another process");
  if (sqlite.is_damaged()) {
    return Error(
        fmt::format("{}: damaged, or no Windlass journal ({})", path, sqlite.error().message()));
  }
  return error(sqlite.error());
}

// SQLite keeps the lock of its first read (exclusive locking mode) until the file is closed or the
// process ends, however it ends.
Status SqliteJournal::Impl::take_lock() {
  const Result<std::string> mode = sqlite.text("PRAGMA locking_mode = EXCLUSIVE");
  if (!mode.ok()) return explain();
  if (!sqlite.execute("BEGIN IMMEDIATE; COMMIT").ok()) return explain();
  return {};
}

// Nothing is written before the file is known to be ours or empty.
Status SqliteJournal::Impl::check_format() {
  const Result<int64_t> application = sqlite.number("PRAGMA application_id");
  if (!application.ok()) return explain();
  const Result<int64_t> format = sqlite.number("PRAGMA user_version");
  if (!format.ok()) return explain();
  const Result<int64_t> tables = sqlite.number("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return explain();
  const bool empty = *tables == 0 && *application == 0 && *format == 0;
  if (!empty && *application != kApplication) {
    return Error(path + ": a database of another program, no Windlass journal");
  }
  if (!empty && *format > kFormat) {
    return Error(fmt::format("{}: written by a newer Windlass (format {}; this one reads {})", path,
                             *format, kFormat));
  }
  return {};
}

Status SqliteJournal::Impl::set_up() {
  const Result<std::string> mode = sqlite.text("PRAGMA journal_mode = WAL");
  if (!mode.ok()) return explain();
  if (*mode != "wal") return Error(path + ": the file system does not allow a write-ahead log");
  // With a write-ahead log NORMAL never damages the file; see the header for a power cut.
  for (const char* sql : {"PRAGMA synchronous = NORMAL", "PRAGMA journal_size_limit = 67108864"}) {
    if (!sqlite.execute(sql).ok()) return explain();
  }
  const Result<int64_t> tables = sqlite.number("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return explain();
  if (*tables == 0) {
    const std::string all = std::string("BEGIN IMMEDIATE;") + kSchema + "COMMIT";
    if (!sqlite.execute(all.c_str()).ok()) return explain();
  }
  const Result<std::string> check = sqlite.text("PRAGMA quick_check(1)");
  if (!check.ok()) return explain();
  if (*check != "ok") return Error(fmt::format("{}: damaged ({})", path, *check));
  return {};
}

Status SqliteJournal::Impl::prepare() {
  const std::pair<Statement*, const char*> statements[] = {
      {&put_object,
       "INSERT INTO objects VALUES(?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT DO UPDATE"
       " SET version = ?4, json = ?5, hash = ?6"},
      {&remove_object, "DELETE FROM objects WHERE resource = ?1 AND namespace = ?2 AND name = ?3"},
      {&put_part,
       "INSERT INTO parts VALUES(?1, ?2, ?3) ON CONFLICT DO UPDATE SET json = ?2, hash = ?3"},
      {&remove_part, "DELETE FROM parts WHERE name = ?1"},
      {&put_version,
       "INSERT INTO meta VALUES('version', ?1, ?2) ON CONFLICT DO UPDATE"
       " SET value = ?1, hash = ?2"},
  };
  for (const auto& [statement, sql] : statements) {
    Result<Statement> made = Statement::prepare(sqlite, sql);
    if (!made.ok()) return explain();
    *statement = *std::move(made);
  }
  return {};
}

Status SqliteJournal::Impl::load_version() {
  Result<Statement> rows =
      Statement::prepare(sqlite, "SELECT value, hash FROM meta WHERE name = 'version'");
  if (!rows.ok()) return explain();
  const Result<bool> row = rows->step();
  if (!row.ok()) return explain();
  if (!*row) return {};  // nothing was ever committed
  version = version_written = static_cast<uint64_t>(rows->number(0));
  if (hash_of(version) != rows->number(1)) return Error(path + ": damaged (the version)");
  return {};
}

Status SqliteJournal::Impl::load_parts() {
  Result<Statement> rows = Statement::prepare(sqlite, "SELECT name, json, hash FROM parts");
  if (!rows.ok()) return explain();
  for (;;) {
    const Result<bool> row = rows->step();
    if (!row.ok()) return explain();
    if (!*row) return {};
    std::string text = rows->text(1);
    if (hash_of({rows->text(0), text}) != rows->number(2) || !parse_json(text).ok()) {
      return Error(fmt::format("{}: damaged (part {})", path, rows->text(0)));
    }
    part_texts.emplace(rows->text(0), std::move(text));
  }
}

void SqliteJournal::Impl::note(const StoreEvent& event) {
  const bool removed = event.type == cluster::EventType::kDeleted;
  changed[event.object->key] = removed ? nullptr : event.object;
  version = event.resource_version;
}

Status SqliteJournal::Impl::write_all() {
  if (Status s = sqlite.execute("BEGIN IMMEDIATE"); !s.ok()) return s;
  for (const auto& [key, document] : changed) {
    Statement& statement = document == nullptr ? remove_object : put_object;
    statement.bind(1, key.resource);
    statement.bind(2, key.namespace_name);
    statement.bind(3, key.name);
    if (document != nullptr) {
      statement.bind(4, static_cast<int64_t>(document->resource_version));
      statement.bind(5, document->json);
      statement.bind(6, hash_of(key, document->json));
    }
    if (Status s = statement.run(); !s.ok()) return s;
  }
  for (const std::string& name : parts_changed) {
    const auto text = part_texts.find(name);
    Statement& statement = text == part_texts.end() ? remove_part : put_part;
    statement.bind(1, name);
    if (text != part_texts.end()) {
      statement.bind(2, text->second);
      statement.bind(3, hash_of({name, text->second}));
    }
    if (Status s = statement.run(); !s.ok()) return s;
  }
  if (version != version_written) {
    put_version.bind(1, static_cast<int64_t>(version));
    put_version.bind(2, hash_of(version));
    if (Status s = put_version.run(); !s.ok()) return s;
  }
  return sqlite.execute("COMMIT");
}

SqliteJournal::SqliteJournal(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
SqliteJournal::SqliteJournal(SqliteJournal&&) noexcept = default;
SqliteJournal& SqliteJournal::operator=(SqliteJournal&&) noexcept = default;
SqliteJournal::~SqliteJournal() = default;

Result<SqliteJournal> SqliteJournal::open(const std::string& path) {
  Result<Sqlite> sqlite = Sqlite::open(path);
  if (!sqlite.ok()) return sqlite.error().in(path);
  auto impl = std::make_shared<Impl>(path, *std::move(sqlite));
  for (const auto step : {&Impl::take_lock, &Impl::check_format, &Impl::set_up, &Impl::prepare,
                          &Impl::load_version, &Impl::load_parts}) {
    if (Status s = (impl.get()->*step)(); !s.ok()) return s.error();
  }
  return SqliteJournal(std::move(impl));
}

Status SqliteJournal::load(ObjectStore& store) {
  Result<Statement> rows = Statement::prepare(impl_->sqlite,
                                              "SELECT resource, namespace, name, json, hash FROM "
                                              "objects ORDER BY resource, namespace, name");
  if (!rows.ok()) return impl_->explain();
  for (;;) {
    const Result<bool> row = rows->step();
    if (!row.ok()) return impl_->explain();
    if (!*row) break;
    ObjectKey key{rows->text(0), rows->text(1), rows->text(2)};
    const std::string what = fmt::format("{} {}/{}", key.resource, key.namespace_name, key.name);
    std::string json = rows->text(3);
    if (hash_of(key, json) != rows->number(4)) {
      return Error(fmt::format("{}: damaged ({} has changed)", impl_->path, what));
    }
    if (Status s = store.restore(std::move(key), std::move(json)); !s.ok()) {
      return s.error().in(what).in(impl_->path);
    }
  }
  store.restore_version(impl_->version_written);
  return {};
}

void SqliteJournal::follow(ObjectStore& store) {
  // The store may outlive the journal, which then hears no more.
  store.on_change.emplace_back([weak = std::weak_ptr(impl_)](const StoreEvent& event) {
    if (const auto impl = weak.lock()) impl->note(event);
  });
}

std::map<std::string, Json> SqliteJournal::parts() const {
  std::map<std::string, Json> out;
  for (const auto& [name, text] : impl_->part_texts) {
    out.emplace(name, Json::parse(text, nullptr, false));
  }
  return out;
}

void SqliteJournal::save_part(const std::string& name, const Json& part) {
  auto& texts = impl_->part_texts;
  const auto known = texts.find(name);
  if (part.is_null()) {
    if (known == texts.end()) return;
    texts.erase(known);
  } else {
    std::string text = part.dump(-1, ' ', false, Json::error_handler_t::replace);
    if (known != texts.end() && known->second == text) return;
    texts[name] = std::move(text);
  }
  impl_->parts_changed.insert(name);
}

Status SqliteJournal::commit() {
  Impl& impl = *impl_;
  if (impl.broken) return *impl.broken;
  if (impl.changed.empty() && impl.parts_changed.empty() && impl.version == impl.version_written) {
    return {};
  }
  if (Status s = impl.write_all(); !s.ok()) {
    // Whether the transaction is in the file is no longer known, so nothing may build on it.
    impl.broken = s.error().in("writing the journal").in(impl.path);
    return *impl.broken;
  }
  impl.changed.clear();
  impl.parts_changed.clear();
  impl.version_written = impl.version;
  return {};
}

}  // namespace windlass::server
