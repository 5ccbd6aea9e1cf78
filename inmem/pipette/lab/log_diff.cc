#include "pipette/lab/log_diff.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "pipette/inmem/text.h"
#include "pipette/lab/internal/alignment.h"
#include "pipette/lab/story.h"

namespace pipette::lab {
namespace {

using inmem::Event;
using inmem::EventKind;
using inmem::EventLog;
using internal::Stretch;

constexpr std::size_t kShownDifferences = 20;
constexpr std::size_t kContext = 3;        // events that are the same, in front of one that is not
constexpr std::size_t kPairingReach = 16;  // how far the twin of an event is looked for
constexpr std::size_t kShownOctets = 32;

bool has_same_shape(const Event& a, const Event& b) {
  return a.kind == b.kind && a.side == b.side && a.connection == b.connection;
}
bool is_same_but_time(const Event& a, const Event& b) {
  return has_same_shape(a, b) && a.count == b.count && a.octets == b.octets;
}
bool is_same(const Event& a, const Event& b) { return a.time == b.time && is_same_but_time(a, b); }

std::uint64_t key_of(const Event& event) {
  const std::array<char, 2> kind_and_side = {static_cast<char>(event.kind), static_cast<char>(event.side)};
  std::uint64_t key = internal::key_of({kind_and_side.data(), kind_and_side.size()});
  for (const std::uint64_t number : {std::uint64_t{event.connection}, event.count}) {
    for (int shift = 0; shift < 64; shift += 8) {
      const char octet = static_cast<char>(number >> shift & 255);
      key = internal::key_of({&octet, 1}, key);
    }
  }
  return internal::key_of(event.octets, key);
}

std::vector<std::uint64_t> keys_from(const EventLog& log, std::size_t index) {
  std::vector<std::uint64_t> keys;
  for (; index < log.size(); ++index) keys.push_back(key_of(log[index]));
  return keys;
}

// "0.100000000 later".
std::string shift(TimePoint from, TimePoint to) {
  const TimePoint distance(from < to ? to - from : from - to);
  return inmem::format_time(distance).substr(1) + (from < to ? " later" : " earlier");
}

// Two events of one shape whose octets or counts differ.
std::string explain(const Event& first, const Event& second) {
  if (first.octets == second.octets) {
    return std::to_string(first.count) + " and " + std::to_string(second.count) + " octets";
  }
  const auto [in_first, in_second] = std::ranges::mismatch(first.octets, second.octets);
  const auto same = static_cast<std::size_t>(in_first - first.octets.begin());
  if (same == first.octets.size() || same == second.octets.size()) {
    const bool is_first_longer = first.octets.size() > second.octets.size();
    const Bytes more = (is_first_longer ? first : second).octets.substr(same);
    return std::string("the ") + (is_first_longer ? "first" : "second") + " has " +
           inmem::counted(more.size(), "more octet") + ": " + inmem::quote(more, kShownOctets);
  }
  return "octet " + std::to_string(same) + " differs: " + inmem::quote(first.octets.substr(same), kShownOctets) +
         " and " + inmem::quote(second.octets.substr(same), kShownOctets);
}

// Shows the differences, in order.
class Report {
 public:
  Report(const EventLog& first, const EventLog& second)
      : first_(first), second_(second), first_story_(first), second_story_(second) {}

  void pair(std::size_t first, std::size_t second) {
    const Event a = first_[first];
    const Event b = second_[second];
    if (is_same(a, b)) return;
    const bool is_moved = is_same_but_time(a, b);
    ++(is_moved ? moved_ : changed_);
    if (!begin(first)) return;
    add("  - ", first_story_, first);
    add("  + ", second_story_, second);
    text_ += "      " + (is_moved ? "the same, " + shift(a.time, b.time) : explain(a, b)) + "\n";
    told_ = first + 1;
  }
  void only_first(std::size_t first) {
    ++only_first_;
    if (!begin(first)) return;
    add("  - ", first_story_, first);
    told_ = first + 1;
  }
  // `first` is where it would stand in the first log.
  void only_second(std::size_t first, std::size_t second) {
    ++only_second_;
    if (begin(first)) add("  + ", second_story_, second);
  }

  std::string finish() {
    if (hidden_ > 0) text_ += "    … and " + std::to_string(hidden_) + " more\n";
    return text_ + std::to_string(changed_) + (changed_ == 1 ? " event differs, " : " events differ, ") +
           std::to_string(moved_) + " at other times, " + std::to_string(only_first_) + " only in the first, " +
           std::to_string(only_second_) + " only in the second\n";
  }

 private:
  // A difference at `first`, with what is in front of it; false: shown is enough.
  bool begin(std::size_t first) {
    if (++shown_ > kShownDifferences) {
      ++hidden_;
      return false;
    }
    const std::size_t context = std::max(told_, first - std::min(first, kContext));
    if (context > told_) text_ += "    …\n";
    for (; told_ < first; ++told_) {
      if (told_ >= context) add("    ", first_story_, told_);
    }
    return true;
  }

  void add(std::string_view mark, Story& story, std::size_t index) {
    story.skip_to(index);
    text_ += mark;
    text_ += story.next() + "\n";
  }

  const EventLog& first_;
  const EventLog& second_;
  Story first_story_;
  Story second_story_;
  std::size_t told_ = 0;  // events of the first log that have been shown, or left out
  std::size_t shown_ = 0;
  std::size_t hidden_ = 0;
  std::size_t changed_ = 0;
  std::size_t moved_ = 0;
  std::size_t only_first_ = 0;
  std::size_t only_second_ = 0;
  std::string text_;
};

class Comparison {
 public:
  Comparison(const EventLog& first, const EventLog& second) : first_(first), second_(second), report_(first, second) {
    // Both begin with the first event that both have kept.
    const std::uint64_t begin = std::max(first.dropped(), second.dropped());
    first_at_ = static_cast<std::size_t>(std::min<std::uint64_t>(begin - first.dropped(), first.size()));
    second_at_ = static_cast<std::size_t>(std::min<std::uint64_t>(begin - second.dropped(), second.size()));
    while (has_both() && is_same(first[first_at_], second[second_at_])) {
      ++first_at_;
      ++second_at_;
    }
  }

  bool is_same_to_the_end() const { return first_at_ == first_.size() && second_at_ == second_.size(); }
  std::uint64_t event() const { return first_.dropped() + first_at_; }

  std::string report() {
    const std::vector<std::uint64_t> first_keys = keys_from(first_, first_at_);
    const std::vector<std::uint64_t> second_keys = keys_from(second_, second_at_);
    for (const Stretch& stretch : internal::align(first_keys, second_keys)) report_stretch(stretch);
    return report_.finish();
  }

 private:
  bool has_both() const { return first_at_ < first_.size() && second_at_ < second_.size(); }

  void report_stretch(const Stretch& stretch) {
    std::size_t first = first_at_ + stretch.first;
    std::size_t second = second_at_ + stretch.second;
    const std::size_t first_end = first + stretch.first_size;
    const std::size_t second_end = second + stretch.second_size;
    while (first < first_end && second < second_end) {
      const std::size_t twin = stretch.is_alike ? second : find_twin(first, second, second_end);
      if (twin == second_end) {
        report_.only_first(first++);
        continue;
      }
      while (second < twin) report_.only_second(first, second++);
      report_.pair(first++, second++);
    }
    while (first < first_end) report_.only_first(first++);
    while (second < second_end) report_.only_second(first, second++);
  }

  // The next event of the second log that has the shape of `first`.
  std::size_t find_twin(std::size_t first, std::size_t second, std::size_t second_end) const {
    const std::size_t reach = std::min(second_end, second + kPairingReach);
    for (std::size_t twin = second; twin < reach; ++twin) {
      if (has_same_shape(first_[first], second_[twin])) return twin;
    }
    return second_end;
  }

  const EventLog& first_;
  const EventLog& second_;
  std::size_t first_at_ = 0;
  std::size_t second_at_ = 0;
  Report report_;
};

bool is_same_log(const EventLog& first, const EventLog& second) {
  return first.dropped() + first.size() == second.dropped() + second.size() && first.hash() == second.hash();
}

}  // namespace

std::optional<Divergence> first_divergence(const EventLog& first, const EventLog& second) {
  if (is_same_log(first, second)) return std::nullopt;
  const Comparison comparison(first, second);
  return Divergence{comparison.event(), comparison.is_same_to_the_end()};
}

std::string diff(const EventLog& first, const EventLog& second) {
  if (is_same_log(first, second)) return {};
  Comparison comparison(first, second);
  const std::string event = std::to_string(comparison.event());
  if (comparison.is_same_to_the_end()) return "the logs differ in what they dropped, before event " + event + "\n";
  return event + (comparison.event() == 1 ? " event is" : " events are") + " the same; then (- first, + second):\n" +
         comparison.report();
}

}  // namespace pipette::lab
