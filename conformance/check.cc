#include "conformance/check.h"

#include <algorithm>
#include <utility>

#include "conformance/writing.h"

namespace pipette::conformance {
namespace {

std::string join(const std::vector<std::string>& events) {
  std::string text;
  for (const std::string& event : events) text.append("  ").append(event).append("\n");
  return text;
}

// The fast passes that this processor can run, and none of them.
std::vector<const http::internal::Scans*> find_scans() {
  std::vector<const http::internal::Scans*> all = {&http::internal::no_scans(), &http::internal::portable_scans()};
  const http::internal::Scans* const best = &http::internal::best_scans();
  for (const http::internal::Scans* scans : {http::internal::sse2_scans(), best}) {
    if (scans != nullptr && std::ranges::find(all, scans) == all.end()) all.push_back(scans);
  }
  return all;
}

const std::vector<const http::internal::Scans*>& all_scans() {
  static const std::vector<const http::internal::Scans*> all = find_scans();
  return all;
}

std::string name_of(const http::internal::Scans& scans) {
  if (&scans == &http::internal::no_scans()) return "no fast pass";
  if (&scans == &http::internal::portable_scans()) return "the portable pass";
  return &scans == http::internal::sse2_scans() ? "the pass for SSE2" : "the pass for AVX2";
}

std::string name_of(Past past) {
  switch (past) {
    case Past::nothing:
      return "nothing";
    case Past::same_head:
      return "the same head";
    case Past::other_heads:
      return "many others";
  }
  return {};
}

// As test::for_each_split, but a long input is cut near its ends and every so often in between.
template <class F>
void for_each_delivery(Bytes octets, F&& f) {
  constexpr std::size_t kLong = 1024;
  constexpr std::size_t kStep = 61;
  if (octets.size() <= kLong) return test::for_each_split(octets, std::forward<F>(f));
  f(test::Pieces{octets});
  f(test::one_by_one(octets));
  for (std::size_t place = 1; place < octets.size(); ++place) {
    const bool is_near_end = place < kLong / 4 || octets.size() - place < kLong / 4;
    if (is_near_end || place % kStep == 0) f(test::cut_at(octets, place));
  }
}

}  // namespace

std::vector<std::string> run(const Case& one, const test::Pieces& pieces, const http::internal::Scans& scans,
                             Past past) {
  if (is_written(one.sent)) return run_writing(one);
  Connection connection(one, scans, past);
  for (const Bytes piece : pieces) connection.deliver(piece);
  connection.finish();
  return connection.events();
}

std::string check(const Case& one) {
  std::string first;
  const auto compare = [&](const test::Pieces& pieces, const http::internal::Scans& scans, Past past) {
    if (!first.empty()) return;
    const std::vector<std::string> events = run(one, pieces, scans, past);
    if (events == one.events) return;
    first = "expected\n" + join(one.events) + "but, in " + std::to_string(pieces.size()) + " pieces, the first of " +
            std::to_string(pieces.front().size()) + " octets, with " + name_of(scans) + ", and behind " +
            name_of(past) + ",\n" + join(events);
  };
  if (is_written(one.sent)) {
    compare({{}}, http::internal::best_scans(), Past::nothing);
    return first;
  }
  const bool has_head = one.sent == Sent::request || one.sent == Sent::response;
  for_each_delivery(one.octets, [&](const test::Pieces& pieces) {
    if (!has_head) return compare(pieces, http::internal::best_scans(), Past::nothing);
    for (const http::internal::Scans* scans : all_scans()) {
      for (const Past past : {Past::nothing, Past::same_head, Past::other_heads}) compare(pieces, *scans, past);
    }
  });
  return first;
}

}  // namespace pipette::conformance
