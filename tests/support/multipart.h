// Delivers a multipart body to a MultipartReader in given pieces and keeps all that came of it, for the tests and for
// the fuzz target.
//
//   deliver_multipart(pieces, boundary) --> MultipartOutcome { error, parts, is_complete }
//
// Each piece stands in an ExactBlock of its own, which is freed before the next one is delivered.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/http/multipart_reader.h"

#include "tests/support/delivery.h"

namespace pipette::test {

struct Part {
  std::string fields = {};  // as describe() has them
  std::string content = {};
  bool has_ended = false;

  bool operator==(const Part&) const = default;
};

struct MultipartOutcome {
  std::optional<Errc> error = std::nullopt;
  std::vector<Part> parts = {};
  bool is_complete = false;

  bool operator==(const MultipartOutcome&) const = default;
};

inline std::string describe(const MultipartOutcome& outcome) {
  std::string text = outcome.error         ? "refused: " + std::string(errc_row(*outcome.error).message)
                     : outcome.is_complete ? std::string("complete")
                                           : std::string("more is needed");
  for (const Part& part : outcome.parts) {
    text += "\n[" + part.fields + "\n] <" + part.content + (part.has_ended ? ">" : " …");
  }
  return text;
}

// Adds what `reader` makes of one piece.
inline void deliver_piece(http::MultipartReader& reader, std::string_view piece, MultipartOutcome& outcome) {
  using enum http::MultipartReader::Event;
  const ExactBlock block(piece);
  std::string_view rest = block.octets();
  for (;;) {
    const Result<http::MultipartReader::Step> step = reader.next(rest);
    if (!step) {
      outcome.error = errc_of(step.error());
      // How much of the last part was given before the mistake was seen depends on the pieces.
      if (!outcome.parts.empty() && !outcome.parts.back().has_ended) outcome.parts.back().content.clear();
      return;
    }
    rest.remove_prefix(step->consumed);
    if (step->event == more) return;
    if (step->event == part_begin) outcome.parts.push_back({.fields = describe(reader.fields())});
    if (step->event == data) outcome.parts.back().content += step->data;
    if (step->event == part_end) outcome.parts.back().has_ended = true;
    if (step->event == complete) outcome.is_complete = true;
  }
}

inline MultipartOutcome deliver_multipart(const Pieces& pieces, const http::Boundary& boundary,
                                          const http::MultipartLimits& limits = {}) {
  http::MultipartReader reader(boundary, limits);
  MultipartOutcome outcome;
  for (const std::string_view piece : pieces) {
    deliver_piece(reader, piece, outcome);
    if (outcome.error) break;
  }
  return outcome;
}

}  // namespace pipette::test
