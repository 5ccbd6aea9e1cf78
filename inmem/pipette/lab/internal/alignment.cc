// Diagonal k holds the places where x - y is k; after d differences the furthest x on each of -d, -d + 2 ... d is
// known. One row of them is kept for each d, and the path is read backwards through the rows.

#include "pipette/lab/internal/alignment.h"

#include <algorithm>

namespace pipette::lab::internal {
namespace {

constexpr std::size_t kMaxDifferences = 1000;
constexpr std::size_t kMaxSteps = 16'000'000;

using Keys = std::span<const std::uint64_t>;

class Alignment {
 public:
  Alignment(Keys first, Keys second) : first_(first), second_(second) {}

  std::vector<Stretch> run() {
    const std::size_t shorter = std::min(first_.size(), second_.size());
    while (prefix_ < shorter && first_[prefix_] == second_[prefix_]) ++prefix_;
    while (suffix_ < shorter - prefix_ &&
           first_[first_.size() - 1 - suffix_] == second_[second_.size() - 1 - suffix_]) {
      ++suffix_;
    }
    x_end_ = static_cast<std::ptrdiff_t>(first_.size() - prefix_ - suffix_);
    y_end_ = static_cast<std::ptrdiff_t>(second_.size() - prefix_ - suffix_);
    if (find_path()) {
      walk_back();
    } else {
      add_back(false, x_end_, y_end_);
    }
    return finish();
  }

 private:
  // Of the part between prefix and suffix.
  bool is_same(std::ptrdiff_t x, std::ptrdiff_t y) const {
    return first_[prefix_ + static_cast<std::size_t>(x)] == second_[prefix_ + static_cast<std::size_t>(y)];
  }

  // The furthest x on diagonal k after d differences, read from the row before.
  std::ptrdiff_t begin_of(std::ptrdiff_t d, std::ptrdiff_t k, bool& is_down) const {
    if (d == 0) {
      is_down = false;
      return 0;
    }
    is_down = k == -d || (k != d && furthest(d - 1, k - 1) < furthest(d - 1, k + 1));
    return is_down ? furthest(d - 1, k + 1) : furthest(d - 1, k - 1) + 1;
  }
  std::ptrdiff_t furthest(std::ptrdiff_t d, std::ptrdiff_t k) const {
    return rows_[static_cast<std::size_t>(d)][static_cast<std::size_t>((k + d) / 2)];
  }

  bool find_path() {
    std::size_t steps = 0;
    for (std::ptrdiff_t d = 0; d <= static_cast<std::ptrdiff_t>(kMaxDifferences); ++d) {
      std::vector<std::ptrdiff_t> row;
      for (std::ptrdiff_t k = -d; k <= d; k += 2) {
        bool is_down = false;
        std::ptrdiff_t x = begin_of(d, k, is_down);
        for (; x < x_end_ && x - k < y_end_ && is_same(x, x - k); ++x) ++steps;
        row.push_back(x);
        if (x < x_end_ || x - k < y_end_) continue;
        rows_.push_back(std::move(row));
        return true;
      }
      rows_.push_back(std::move(row));
      if (steps > kMaxSteps) return false;
    }
    return false;
  }

  void walk_back() {
    std::ptrdiff_t x = x_end_;
    std::ptrdiff_t y = y_end_;
    for (auto d = static_cast<std::ptrdiff_t>(rows_.size()) - 1; d >= 0; --d) {
      bool is_down = false;
      const std::ptrdiff_t begin = begin_of(d, x - y, is_down);
      add_back(true, x - begin, x - begin);
      y -= x - begin;
      x = begin;
      if (d == 0) break;
      add_back(false, is_down ? 0 : 1, is_down ? 1 : 0);
      (is_down ? y : x) -= 1;
    }
  }

  // In front of what is there.
  void add_back(bool is_alike, std::ptrdiff_t first_size, std::ptrdiff_t second_size) {
    if (first_size == 0 && second_size == 0) return;
    if (backwards_.empty() || backwards_.back().is_alike != is_alike) backwards_.push_back({.is_alike = is_alike});
    backwards_.back().first_size += static_cast<std::size_t>(first_size);
    backwards_.back().second_size += static_cast<std::size_t>(second_size);
  }

  std::vector<Stretch> finish() {
    std::vector<Stretch> stretches;
    if (prefix_ > 0) stretches.push_back({.first_size = prefix_, .second_size = prefix_});
    stretches.insert(stretches.end(), backwards_.rbegin(), backwards_.rend());
    if (suffix_ > 0) stretches.push_back({.first_size = suffix_, .second_size = suffix_});
    return joined(stretches);
  }

  // Neighbours alike become one, and all learn where they begin.
  static std::vector<Stretch> joined(const std::vector<Stretch>& stretches) {
    std::vector<Stretch> all;
    std::size_t first = 0;
    std::size_t second = 0;
    for (const Stretch& next : stretches) {
      if (all.empty() || all.back().is_alike != next.is_alike) {
        all.push_back({.is_alike = next.is_alike, .first = first, .second = second});
      }
      all.back().first_size += next.first_size;
      all.back().second_size += next.second_size;
      first += next.first_size;
      second += next.second_size;
    }
    return all;
  }

  Keys first_;
  Keys second_;
  std::size_t prefix_ = 0;
  std::size_t suffix_ = 0;
  std::ptrdiff_t x_end_ = 0;
  std::ptrdiff_t y_end_ = 0;
  std::vector<std::vector<std::ptrdiff_t>> rows_;  // by d: furthest x on -d, -d + 2 ... d
  std::vector<Stretch> backwards_;
};

}  // namespace

std::vector<Stretch> align(Keys first, Keys second) { return Alignment(first, second).run(); }

}  // namespace pipette::lab::internal
