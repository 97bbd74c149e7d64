// The embedded cluster on disk: every document and the world's small parts, in one SQLite file
// (WAL). Changes of one turn of the loop are one transaction, committed before any reply to them
// leaves. A kill (-9) at any moment loses nothing committed and leaves nothing half done. A power
// cut may take the last transactions, those since SQLite's last checkpoint (some 4 MB of changes),
// but leaves the file whole: commits are not flushed to the disk one by one, which would cost
// milliseconds each. The file is its owner's alone (0600): it holds the cluster's Secrets.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/result.h"
#include "cluster/object_store.h"

namespace windlass::server {

class SqliteJournal {
 public:
  // Opens or creates the file; takes a lock so that no second process uses it. Errors: locked (says
  // so), not a Windlass file, a newer format, damaged.
  static Result<SqliteJournal> open(const std::string& path);
  SqliteJournal(SqliteJournal&&) noexcept;
  SqliteJournal& operator=(SqliteJournal&&) noexcept;
  ~SqliteJournal();

  // Fills the store; the version goes on from the last committed one.
  Status load(cluster::ObjectStore& store);
  // From now on every change of the store is part of the next commit.
  void follow(cluster::ObjectStore& store);

  // The world's parts by name ("clock", "instance/aws:///..."); null removes.
  [[nodiscard]] std::map<std::string, Json> parts() const;
  void save_part(const std::string& name, const Json& part);

  // Writes what has changed since the last commit; nothing to do is free. An error (disk full) is
  // final for the process: nothing more may be acknowledged.
  Status commit();

 private:
  struct Impl;
  explicit SqliteJournal(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;  // shared so that a store which lives longer may notice
};

}  // namespace windlass::server
