// Test support: the reference data beside the repository, as rows of column name to text.
#pragma once

#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"

namespace windlass::catalog {

using CsvRow = std::map<std::string, std::string, std::less<>>;

// nullopt if the file is not there. The files hold no quoted fields.
inline std::optional<std::vector<CsvRow>> read_shared_csv(const std::string& path) {
  std::ifstream file("../shared/data/" + path);
  if (!file) return std::nullopt;
  std::vector<std::string> columns;
  std::vector<CsvRow> rows;
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string_view> cells = split(trim(line), ',');
    if (columns.empty()) {
      columns.assign(cells.begin(), cells.end());
      continue;
    }
    CsvRow& row = rows.emplace_back();
    for (size_t i = 0; i < columns.size() && i < cells.size(); ++i) row[columns[i]] = cells[i];
  }
  return rows;
}

}  // namespace windlass::catalog
