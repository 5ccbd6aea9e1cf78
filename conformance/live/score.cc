#include "conformance/live/score.h"

#include <cstdio>
#include <utility>

#include "conformance/octets.h"

namespace pipette::conformance {
namespace {

constexpr std::size_t kMostShown = 600;  // of a line of octets

std::size_t marks_of(const Case& one) {
  if (one.requirement.contains(" MUST")) return 0;
  return one.requirement.contains(" SHOULD") ? 1 : 2;
}

std::string show(std::string_view octets) {
  std::string text = quote(octets);
  if (text.size() > kMostShown) text.replace(kMostShown, std::string::npos, " ...");
  return text;
}

std::string describe(const Case& one, const Heard& heard) {
  std::string text = "conformance/" + one.file + ":" + std::to_string(one.line) + ": " + one.title + "\n  ";
  text += one.requirement + "\n";
  for (const Turn& turn : one.turns) text += "  sent     " + show(turn.octets) + "\n";
  text += "  answered " + show(heard.octets) + ", " + heard.how_ended + "\n";
  return text + "  " + heard.complaint + "\n\n";
}

}  // namespace

std::string Score::table() const {
  std::string text = "level   passed  failed\n";
  for (const Marks& row : marks) {
    std::array<char, 64> line;
    const int size = std::snprintf(line.data(), line.size(), "%-6s  %6zu  %6zu\n", std::string(row.level).c_str(),
                                   row.passed, row.failed);
    text.append(line.data(), static_cast<std::size_t>(size));
  }
  return text;
}

Task<Score> score_server(Runtime& runtime, net::Address address, const Cases& cases, Patience patience) {
  Score score;
  for (const Case& one : cases) {
    if (one.sent != Sent::to_server) continue;
    const Heard heard = co_await talk(runtime, address, one, Cut(), patience);
    score.is_reachable = score.is_reachable && heard.has_connected;
    Marks& marks = score.marks[marks_of(one)];
    ++(heard.complaint.empty() ? marks.passed : marks.failed);
    if (!heard.complaint.empty()) score.failures += describe(one, heard);
    if (!score.is_reachable) break;
  }
  co_return score;
}

}  // namespace pipette::conformance
