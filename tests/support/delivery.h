// Delivers octets to the parsers in given pieces and keeps all that came of it, for the tests and for the fuzz
// targets: whatever the pieces, the outcome must be the same.
//
//   deliver_request(pieces) --> RequestOutcome { error | size, head }         describe(outcome) --> text to compare
//   deliver_body(pieces, length) --> BodyOutcome { error, data, consumed, is_complete }
//
// For every call the octets so far are moved to an ExactBlock of their own, and the one before is freed.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/http/body_reader.h"
#include "pipette/http/head_parser.h"

#include "tests/support/splits.h"

namespace pipette::test {

template <class Head>
struct HeadOutcome {
  std::optional<Errc> error;  // why it was refused
  std::size_t size = 0;       // of the head; 0 without an error: more is needed
  ExactBlock block;           // what the views of the head point into
  Head head;
};

using RequestOutcome = HeadOutcome<http::RequestHead>;
using ResponseOutcome = HeadOutcome<http::ResponseHead>;

inline Result<std::size_t> parse(http::RequestParser& parser, ExactBlock& block, http::RequestHead& head) {
  return parser.parse(block.octets(), head);
}
inline Result<std::size_t> parse(http::ResponseParser& parser, ExactBlock& block, http::ResponseHead& head) {
  return parser.parse(block.writable(), head);
}

template <class Parser, class Head>
HeadOutcome<Head> deliver_head(const Pieces& pieces, const http::HeadLimits& limits,
                               const http::internal::Scans& scans = http::internal::best_scans()) {
  Parser parser(limits, scans);
  HeadOutcome<Head> outcome;
  outcome.head.fields.reserve(5);  // as on a connection in use: the fast pass takes what there is room for
  std::string so_far;
  for (const std::string_view piece : pieces) {
    so_far += piece;
    ExactBlock block(so_far);
    const Result<std::size_t> size = parse(parser, block, outcome.head);
    outcome.block = std::move(block);
    if (!size) {
      outcome.error = errc_of(size.error());
      return outcome;
    }
    outcome.size = *size;
    if (outcome.size > 0) return outcome;
  }
  return outcome;
}

inline RequestOutcome deliver_request(const Pieces& pieces, const http::HeadLimits& limits = {},
                                      const http::internal::Scans& scans = http::internal::best_scans()) {
  return deliver_head<http::RequestParser, http::RequestHead>(pieces, limits, scans);
}

inline ResponseOutcome deliver_response(const Pieces& pieces, const http::HeadLimits& limits = {},
                                        const http::internal::Scans& scans = http::internal::best_scans()) {
  return deliver_head<http::ResponseParser, http::ResponseHead>(pieces, limits, scans);
}

inline std::string describe(const http::Fields& fields) {
  std::string text;
  for (std::size_t i = 0; i < fields.size(); ++i) {
    text.append("\n<").append(fields[i].name).append("> <").append(fields[i].value).append(">");
  }
  return text;
}

inline std::string describe(const http::RequestHead& head) {
  std::string text = head.is_http_1_0 ? "1.0" : "1.1";
  for (const std::string_view part : {head.method_text, head.target, head.authority, head.path, head.query}) {
    text.append(" <").append(part).append(">");
  }
  text += " method " + std::to_string(static_cast<int>(head.method));
  text += " form " + std::to_string(static_cast<int>(head.form));
  return text + describe(head.fields);
}

inline std::string describe(const http::ResponseHead& head) {
  std::string text = head.is_http_1_0 ? "1.0 " : "1.1 ";
  text += std::to_string(head.status);
  text.append(" <").append(head.reason).append(">");
  return text + describe(head.fields);
}

template <class Head>
std::string describe(std::optional<Errc> error, std::size_t size, const Head& head) {
  if (error) return "refused: " + std::string(errc_row(*error).message);
  if (size == 0) return "more is needed";
  return std::to_string(size) + " octets, " + describe(head);
}

template <class Head>
std::string describe(const HeadOutcome<Head>& outcome) {
  return describe(outcome.error, outcome.size, outcome.head);
}

// Delivers a head to a parser that has read others into the same `head` before, as on a connection that persists.
template <class Parser, class Head>
std::string deliver_next(Parser& parser, Head& head, const Pieces& pieces) {
  parser.reset();
  std::string so_far;
  ExactBlock block;
  Result<std::size_t> size = 0;
  for (const std::string_view piece : pieces) {
    so_far += piece;
    ExactBlock next(so_far);
    size = parse(parser, next, head);
    block = std::move(next);
    if (!size || *size > 0) break;
  }
  if (!size) return describe(errc_of(size.error()), 0, head);
  return describe(std::nullopt, *size, head);
}

struct BodyOutcome {
  std::optional<Errc> error = std::nullopt;
  std::string data = {};
  std::size_t consumed = 0;
  bool is_complete = false;

  bool operator==(const BodyOutcome&) const = default;
};

inline std::string describe(const BodyOutcome& outcome) {
  std::string text = outcome.error         ? "refused: " + std::string(errc_row(*outcome.error).message)
                     : outcome.is_complete ? std::string("complete")
                                           : std::string("more is needed");
  text += ", " + std::to_string(outcome.consumed) + " octets consumed, data <" + outcome.data + ">";
  return text;
}

inline BodyOutcome deliver_body(const Pieces& pieces, http::BodyLength length, const http::BodyLimits& limits = {}) {
  http::BodyReader reader(length, limits);
  BodyOutcome outcome;
  outcome.is_complete = reader.is_complete();
  std::string pending;
  for (const std::string_view piece : pieces) {
    pending += piece;
    while (!outcome.is_complete) {
      const ExactBlock block(pending);
      const Result<http::BodyReader::Step> step = reader.next(block.octets());
      if (!step) {
        outcome.error = errc_of(step.error());
        // How much of the run in front of the mistake was taken before it was seen depends on the pieces.
        outcome.consumed = 0;
        return outcome;
      }
      outcome.data += step->data;
      outcome.consumed += step->consumed;
      outcome.is_complete = step->is_complete;
      pending.erase(0, step->consumed);
      if (step->consumed == 0) break;
    }
  }
  return outcome;
}

}  // namespace pipette::test
