// Reads conformance cases out of prose.
//
//   ## a heading                        one case, and the name of a test
//   What is required, in a sentence.
//   RFC 9112 §5.1 · MUST · FLD-01       where it stands, how strong it is, which requirement of ours it is
//   ```request, max_fields 2            what is sent, as whom, under which settings (see octets.h)
//   ```events                           what must come of it, one a line (see connection.h)
//
// A case of a server is a conversation instead, of one turn or more:
//
//   ```to server, then end of stream    what is sent
//   ```answers                          what the server must answer, and how it ends (see expectation.h)
//
// Levels: MUST, MUST NOT, SHOULD, SHOULD NOT, MAY, and "strict" where we ask for more than the RFC does.
// `Not met: why.` as a paragraph of its own marks a case that must fail, until it is met.
//
// Errors   "file:line: what is wrong". Nothing is skipped: a word that is not known is an error.
#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "pipette/http/body_reader.h"
#include "pipette/http/method.h"

#include "conformance/expectation.h"
#include "conformance/order.h"

namespace pipette::conformance {

enum class Sent {
  to_server,  // turns instead of octets and events
  request,
  response,
  chunked_body,
  exact_body,
  until_close_body,
  // Of the writing side: an Order instead of octets.
  set_field,
  write_request,
  write_response,
  write_interim_response,
};
constexpr bool is_written(Sent sent) { return sent >= Sent::set_field; }

struct Settings {
  http::HeadLimits head;
  http::BodyLimits body;
  std::vector<http::Method> in_answer_to = {http::Method::get};  // the requests that responses answer
  std::uint64_t body_size = 0;                                   // of exact_body
  bool then_end_of_stream = false;
};

struct Case {
  std::string file;
  std::size_t line = 0;  // of its heading
  std::string title;
  std::string requirement;
  bool is_not_met = false;
  Sent sent = Sent::request;
  Settings settings;
  std::string octets;
  Order order;
  std::vector<std::string> events;
  std::vector<Turn> turns;
};

using Cases = std::vector<Case>;

// `file` is its path below conformance/, for names and messages.
std::expected<Cases, std::string> parse_cases(const std::string& file, std::string_view text);

// "rfc9112/5_1_field_line_parsing.md" --> "Rfc9112_5_1_FieldLineParsing"
std::string suite_name(std::string_view file);
// "refuses a space, and a tab" --> "RefusesASpaceAndATab"
std::string test_name(std::string_view title);

}  // namespace pipette::conformance
