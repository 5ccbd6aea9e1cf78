#include "pipette/base/oracle.h"

#include <cassert>
#include <utility>

namespace pipette {

unsigned SeededOracle::answer(const Question& question) {
  const std::uint64_t drawn = mix64(mixed_seed_ ^ mix64(question.key()));
  const auto low = static_cast<std::uint32_t>(drawn);
  const auto high = static_cast<std::uint32_t>(drawn >> 32);
  // Multiply and shift instead of a remainder; n is so small beside 2^32 that no answer is likelier by more than 2^-24.
  if (question.one_in <= 1) return static_cast<unsigned>(std::uint64_t{low} * question.n >> 32);
  if ((std::uint64_t{high} * question.one_in >> 32) != 0) return 0;
  return 1 + static_cast<unsigned>(std::uint64_t{low} * (question.n - 1) >> 32);
}

unsigned Decisions::choose(const Site& site, std::uint64_t object, unsigned n, unsigned one_in) {
  assert(n >= 1 && n <= 256);
  if (n <= 1) return 0;
  Question question{site, object, 0, n, one_in};
  question.ordinal = next_ordinal(question.lane());
  const unsigned answer = ask(question);
  assert(answer < n);
  ++asked_;
  if (answer != 0) ++deviated_;
  if (is_recording_) recorded_.push_back({question, answer});
  return answer;
}

unsigned Decisions::ask(const Question& question) {
  try {
    return oracle_->answer(question);
  } catch (...) {
    if (!exception_) exception_ = std::current_exception();
    return 0;
  }
}

std::uint32_t Decisions::next_ordinal(std::uint64_t lane) {
  if (used_lanes_ * 2 >= lanes_.size()) grow();
  Lane& found = lane_at(lane);
  if (found.count == 0) {
    found.key = lane;
    ++used_lanes_;
  }
  return static_cast<std::uint32_t>(found.count++);
}

// Where `key` is, or belongs. There is always room.
Decisions::Lane& Decisions::lane_at(std::uint64_t key) {
  const std::size_t last = lanes_.size() - 1;
  std::size_t at = place64(key, last);
  while (lanes_[at].count != 0 && lanes_[at].key != key) at = (at + 1) & last;
  return lanes_[at];
}

void Decisions::grow() {
  const std::vector<Lane> before = std::exchange(lanes_, std::vector<Lane>(lanes_.empty() ? 32 : lanes_.size() * 2));
  for (const Lane& lane : before) {
    if (lane.count != 0) lane_at(lane.key) = lane;
  }
}

}  // namespace pipette
