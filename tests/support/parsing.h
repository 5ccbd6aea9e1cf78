// parse_request, parse_response, read_body: give a whole input to a parser in every split and insist that the
// outcome is always the same; the tests then look at that one.
#pragma once

#include <gtest/gtest.h>

#include "tests/support/delivery.h"
#include "tests/support/printers.h"

namespace pipette::test {

template <class Deliver>
auto deliver_in_every_split(std::string_view octets, Deliver&& deliver) {
  auto whole = deliver(Pieces{octets});
  const std::string expected = describe(whole);
  for_each_split(octets, [&](const Pieces& pieces) {
    if (::testing::Test::HasFailure()) return;
    const std::string actual = describe(deliver(pieces));
    EXPECT_EQ(actual, expected) << "in " << pieces.size() << " pieces, the first of " << pieces[0].size()
                                << " octets:\n"
                                << octets;
  });
  return whole;
}

inline RequestOutcome parse_request(std::string_view octets, const http::HeadLimits& limits = {}) {
  return deliver_in_every_split(octets, [&](const Pieces& pieces) { return deliver_request(pieces, limits); });
}

inline ResponseOutcome parse_response(std::string_view octets, const http::HeadLimits& limits = {}) {
  return deliver_in_every_split(octets, [&](const Pieces& pieces) { return deliver_response(pieces, limits); });
}

inline BodyOutcome read_body(std::string_view octets, http::BodyLength length, const http::BodyLimits& limits = {}) {
  return deliver_in_every_split(octets, [&](const Pieces& pieces) { return deliver_body(pieces, length, limits); });
}

inline BodyOutcome read_chunked(std::string_view octets, const http::BodyLimits& limits = {}) {
  return read_body(octets, {http::BodyLength::Kind::chunked, 0}, limits);
}

}  // namespace pipette::test
