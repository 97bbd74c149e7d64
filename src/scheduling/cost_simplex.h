// The linear program of column generation: least cost of columns that cover the right-hand side,
//   min sum(cost x)  with  sum(a x) >= b,  x >= 0,
// by the primal simplex method with an explicit inverse of the basis. Small (some hundred rows),
// columns are added as they are found. Ties are broken by number, work is bounded by pivots.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace windlass::scheduling {

class Simplex {
 public:
  using Entries = std::vector<std::pair<uint32_t, double>>;  // (row, coefficient)

  // b by row. Row r's first column must be given by start() before anything else: a column with an
  // entry in that row alone, of b's sign.
  explicit Simplex(std::vector<double> b);
  // The column that covers the row at first. Its number is the row's.
  void start(uint32_t row, double coefficient, double cost);
  // Its number counts on from the rows'.
  size_t add(Entries entries, double cost);

  // Best x of the columns known; false if the pivots ran out before.
  bool optimise(int max_pivots);
  // By row: what one more of b would cost. None is below zero after optimise() was true.
  [[nodiscard]] const std::vector<double>& values() const { return values_; }
  // By column.
  [[nodiscard]] std::vector<double> amounts() const;

 private:
  struct Column {
    Entries entries;
    double cost = 0;
  };
  void price();
  // The column, or the surplus of a row, that lowers the cost fastest; SIZE_MAX if none.
  [[nodiscard]] size_t entering() const;
  bool pivot(size_t column);

  size_t rows_;
  std::vector<Column> columns_;  // the starting ones, the surpluses (one a row), then the added
  std::vector<bool> in_basis_;   // by column
  std::vector<size_t> basis_;    // by row: which column
  std::vector<double> inverse_;  // rows x rows
  std::vector<double> x_;        // of the basis, by row
  std::vector<double> values_;
};

}  // namespace windlass::scheduling
