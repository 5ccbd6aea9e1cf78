// The search holds one failing set. Each step proposes a smaller one, and takes it when it fails too.
#include "pipette/lab/shrink.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <utility>
#include <vector>

namespace pipette::lab {
namespace {

// Sets up to this size are first tried one choice at a time: one deviation is what a failure most often needs.
constexpr std::size_t kSmall = 32;

// One of the choices that the search began with, and its answer now.
struct Item {
  std::size_t index = 0;
  unsigned answer = 0;
};
using Items = std::vector<Item>;

class Shrinker {
 public:
  Shrinker(const Choices& failing, const std::function<bool(const Choices&)>& still_fails, const ShrinkOptions& options)
      : still_fails_(&still_fails), options_(options), all_(failing.entries()) {
    for (const Choices::Entry& entry : all_) {
      current_.push_back({keys_.size(), entry.answer});
      keys_.push_back(question_of(entry.key).key());
    }
  }

  Shrunk shrink() {
    const bool is_failing = fails(current_);
    if (is_failing) search();
    return {choices_of(current_), runs_, is_failing && !is_exhausted_, is_failing};
  }

 private:
  void search() {
    if (take({})) return;
    try_single_choices();
    remove_chunks();
    // Lower answers may have made another choice needless, and the other way round.
    while (options_.lowers_answers && lower_answers() && remove_single_choices()) {
    }
  }

  void try_single_choices() {
    if (current_.size() > kSmall) return;
    const Items items = current_;
    for (const Item& item : items) {
      if (take({item})) return;
    }
  }

  void remove_chunks() {
    for (std::size_t chunk = (current_.size() + 1) / 2; chunk > 1; chunk = (chunk + 1) / 2) {
      for (std::size_t at = 0; at < current_.size() && !is_exhausted_;) {
        if (!take(without(at, chunk))) at += chunk;
      }
    }
    remove_single_choices();
  }

  // Round and round until no single one can go; whether any could.
  bool remove_single_choices() {
    const std::size_t before = current_.size();
    std::size_t kept_in_a_row = 0;
    std::size_t at = 0;
    while (kept_in_a_row < current_.size() && !is_exhausted_) {
      if (at >= current_.size()) at = 0;
      if (take(without(at, 1))) {
        kept_in_a_row = 0;
      } else {
        ++kept_in_a_row;
        ++at;
      }
    }
    return current_.size() < before;
  }

  // Whether any answer could be lowered.
  bool lower_answers() {
    bool has_lowered = false;
    for (bool is_lowering = true; is_lowering && !is_exhausted_;) {
      is_lowering = false;
      for (std::size_t at = 0; at < current_.size() && !is_exhausted_; ++at) is_lowering |= lower(at);
      has_lowered |= is_lowering;
    }
    return has_lowered;
  }

  // 1 at once, or else halfway between what fails and what does not.
  bool lower(std::size_t at) {
    const unsigned before = current_[at].answer;
    if (before == 1 || take(with(at, 1))) return before != 1;
    unsigned passes = 1;
    while (current_[at].answer - passes > 1) {
      const unsigned middle = passes + (current_[at].answer - passes) / 2;
      if (!take(with(at, middle))) passes = middle;
    }
    return current_[at].answer < before;
  }

  Items without(std::size_t at, std::size_t count) const {
    const auto from = current_.begin() + static_cast<std::ptrdiff_t>(at);
    const auto to = from + static_cast<std::ptrdiff_t>(std::min(count, current_.size() - at));
    Items rest(current_.begin(), from);
    rest.insert(rest.end(), to, current_.end());
    return rest;
  }

  Items with(std::size_t at, unsigned answer) const {
    Items changed = current_;
    changed[at].answer = answer;
    return changed;
  }

  bool take(Items items) {
    if (!fails(items)) return false;
    current_ = std::move(items);
    return true;
  }

  bool fails(const Items& items) {
    const std::uint64_t name = name_of(items);
    if (const auto known = verdicts_.find(name); known != verdicts_.end()) return known->second;
    if (runs_ >= options_.max_runs) {
      is_exhausted_ = true;
      return false;
    }
    ++runs_;
    const bool failed = (*still_fails_)(choices_of(items));
    verdicts_.emplace(name, failed);
    return failed;
  }

  std::uint64_t name_of(const Items& items) const {
    std::uint64_t name = items.size();
    for (const Item& item : items) name = mix64(name ^ (keys_[item.index] + item.answer));
    return name;
  }

  Choices choices_of(const Items& items) const {
    std::vector<Choices::Entry> entries;
    entries.reserve(items.size());
    for (const Item& item : items) entries.push_back({all_[item.index].key, item.answer});
    return Choices(std::move(entries));
  }

  const std::function<bool(const Choices&)>* still_fails_;
  ShrinkOptions options_;
  const std::vector<Choices::Entry>& all_;
  std::vector<std::uint64_t> keys_;  // of all_
  Items current_;
  std::map<std::uint64_t, bool> verdicts_;  // by the name of the set: whether it failed
  std::uint64_t runs_ = 0;
  bool is_exhausted_ = false;
};

}  // namespace

Shrunk shrink(const Choices& failing, const std::function<bool(const Choices&)>& still_fails,
              const ShrinkOptions& options) {
  return Shrinker(failing, still_fails, options).shrink();
}

}  // namespace pipette::lab
