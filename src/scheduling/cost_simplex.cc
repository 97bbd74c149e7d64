#include "scheduling/cost_simplex.h"

#include <algorithm>
#include <limits>

#include "base/assert.h"

namespace windlass::scheduling {
namespace {

constexpr double kTiny = 1e-9;
constexpr size_t kNoColumn = std::numeric_limits<size_t>::max();

}  // namespace

Simplex::Simplex(std::vector<double> b)
    : rows_(b.size()),
      columns_(2 * rows_),
      in_basis_(2 * rows_, false),
      basis_(rows_),
      inverse_(rows_ * rows_, 0),
      x_(std::move(b)),
      values_(rows_, 0) {
  for (uint32_t row = 0; row < rows_; ++row) {
    // A little is added to each row, a different little: no vertex is met twice, so the method
    // cannot run in circles.
    x_[row] += 1e-7 * (1 + static_cast<double>(row) / static_cast<double>(rows_));
    columns_[rows_ + row] = {{{row, -1.0}}, 0};
  }
}

void Simplex::start(uint32_t row, double coefficient, double cost) {
  WL_ASSERT(row < rows_ && x_[row] / coefficient >= 0);
  columns_[row] = {{{row, coefficient}}, cost};
  in_basis_[row] = true;
  basis_[row] = row;
  inverse_[row * rows_ + row] = 1 / coefficient;
  x_[row] /= coefficient;
}

size_t Simplex::add(Entries entries, double cost) {
  columns_.push_back({std::move(entries), cost});
  in_basis_.push_back(false);
  return columns_.size() - 1 - rows_;
}

void Simplex::price() {
  for (size_t row = 0; row < rows_; ++row) values_[row] = 0;
  for (size_t i = 0; i < rows_; ++i) {
    const double cost = columns_[basis_[i]].cost;
    if (cost == 0) continue;
    const double* line = &inverse_[i * rows_];
    for (size_t row = 0; row < rows_; ++row) values_[row] += cost * line[row];
  }
}

size_t Simplex::entering() const {
  size_t best = kNoColumn;
  double least = -kTiny;
  for (size_t c = 0; c < columns_.size(); ++c) {
    if (in_basis_[c]) continue;
    double reduced = columns_[c].cost;
    for (const auto& [row, coefficient] : columns_[c].entries)
      reduced -= values_[row] * coefficient;
    if (reduced < least) {
      least = reduced;
      best = c;
    }
  }
  return best;
}

bool Simplex::pivot(size_t column) {
  std::vector<double> direction(rows_, 0);
  for (const auto& [row, coefficient] : columns_[column].entries) {
    for (size_t i = 0; i < rows_; ++i) direction[i] += inverse_[i * rows_ + row] * coefficient;
  }
  size_t leaving = kNoColumn;
  double step = std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < rows_; ++i) {
    if (direction[i] <= kTiny) continue;
    const double ratio = std::max(x_[i], 0.0) / direction[i];
    if (ratio < step) {
      step = ratio;
      leaving = i;
    }
  }
  if (leaving == kNoColumn) return false;  // cannot be: costs are not below zero
  const double by = 1 / direction[leaving];
  double* line = &inverse_[leaving * rows_];
  for (size_t row = 0; row < rows_; ++row) line[row] *= by;
  for (size_t i = 0; i < rows_; ++i) {
    if (i == leaving || direction[i] == 0) continue;
    x_[i] -= step * direction[i];
    double* other = &inverse_[i * rows_];
    for (size_t row = 0; row < rows_; ++row) other[row] -= direction[i] * line[row];
  }
  x_[leaving] = step;
  in_basis_[basis_[leaving]] = false;
  in_basis_[column] = true;
  basis_[leaving] = column;
  return true;
}

bool Simplex::optimise(int max_pivots) {
  for (int i = 0; i < max_pivots; ++i) {
    price();
    const size_t column = entering();
    if (column == kNoColumn) return true;
    if (!pivot(column)) return false;
  }
  price();
  return false;
}

std::vector<double> Simplex::amounts() const {
  std::vector<double> out(columns_.size() - rows_, 0);
  for (size_t i = 0; i < rows_; ++i) {
    if (basis_[i] < rows_) out[basis_[i]] = x_[i];
    if (basis_[i] >= 2 * rows_) out[basis_[i] - rows_] = x_[i];
  }
  return out;
}

}  // namespace windlass::scheduling
