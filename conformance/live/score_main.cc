// pipette_conformance_score ADDRESS FOLDER [MILLISECONDS]
//
// Scores the server at ADDRESS by the cases in FOLDER, over TCP, and prints what it fails. A server that is silent for
// so long (2000 unless told) where an answer must come gives none. Exits with 1 when a case fails, with 2 when there is
// nothing to score.

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>

#include "pipette/tcp/runtime.h"

#include "conformance/live/score.h"
#include "conformance/load.h"
#include "conformance/text.h"

namespace {

using namespace pipette;

Task<> score_into(tcp::Runtime& runtime, net::Address address, const conformance::Cases& cases,
                  conformance::Patience patience, conformance::Score& score) {
  score = co_await conformance::score_server(runtime, std::move(address), cases, patience);
}

int complain(const std::string& what) {
  std::fprintf(stderr, "pipette_conformance_score: %s\n", what.c_str());
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  const std::span<char*> words(argv, static_cast<std::size_t>(argc));
  if (words.size() < 3 || words.size() > 4) return complain("ADDRESS FOLDER [MILLISECONDS]");
  const Result<net::Address> address = net::Address::parse(words[1]);
  if (!address) return complain("no address: " + std::string(words[1]));
  const auto cases = conformance::load_cases(words[2]);
  if (!cases) return complain(cases.error());
  conformance::Patience patience;
  if (words.size() == 4) {
    const auto wait = conformance::parse_number(words[3]);
    if (!wait) return complain("no number of milliseconds: " + std::string(words[3]));
    patience.answer = std::chrono::milliseconds(*wait);
  }
  tcp::Runtime runtime;
  conformance::Score score;
  runtime.run(score_into(runtime, *address, *cases, patience, score));
  if (!score.is_reachable) return complain("nobody answers at " + address->to_string());
  std::printf("%s%s", score.failures.c_str(), score.table().c_str());
  return score.failures.empty() ? 0 : 1;
}
