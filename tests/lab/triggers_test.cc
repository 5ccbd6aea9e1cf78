#include "pipette/lab/triggers.h"

#include <gtest/gtest.h>

#include "tests/support/splits.h"

namespace pipette::lab {
namespace {

using http::Method;
using test::for_each_split;
using test::Pieces;

constexpr std::string_view kGet = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";                              // 27
constexpr std::string_view kPost = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello";  // 47 + 5
constexpr std::string_view kPut =                                                                   // 55
    "PUT / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n3;x\r\nyou\r\n0\r\n\r\n";
constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";           // 25
constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n";  // 38

// How many of `octets` pass; nothing when all of them do.
std::optional<std::size_t> strike(const MessagePlace& place, const Pieces& pieces) {
  OnMessage trigger(place);
  std::size_t passed = 0;
  for (const Bytes piece : pieces) {
    const std::size_t now = trigger.pass(piece);
    passed += now;
    if (now == piece.size()) continue;
    EXPECT_TRUE(trigger.has_struck());
    EXPECT_EQ(trigger.pass("more"), 0U);
    return passed;
  }
  EXPECT_FALSE(trigger.has_struck());
  return std::nullopt;
}

struct PlaceCase {
  MessagePlace place;
  std::string octets;
  std::optional<std::size_t> passed;
};

TEST(OnMessage, StrikesAtItsPlaceInEverySplit) {
  const std::string gets = std::string(kGet) + std::string(kGet) + std::string(kGet);
  const std::string head_answers = std::string(kOk) + std::string(kOk) + "hello";
  const PlaceCase cases[] = {
      {on_request(1), gets, 0},
      {on_request(3), gets, 54},
      {on_request(3).after_bytes(20), gets, 74},
      {on_request(3).after_bytes(27), gets, std::nullopt},
      {on_request(4), gets, std::nullopt},
      {on_request(2).after_head(), gets, 54},
      {on_request(2).after_end(), gets, 54},
      {on_request(3).after_end(), gets, std::nullopt},
      {on_request(1).after_head(), std::string(kPost), 47},
      {on_request(1).on_body_byte(1), std::string(kPost), 47},
      {on_request(1).on_body_byte(5), std::string(kPost), 51},
      {on_request(1).on_body_byte(6), std::string(kPost) + std::string(kGet), std::nullopt},
      {on_request(1).on_body_byte(2), std::string(kPut), 59},
      {on_request(1).on_body_byte(3), std::string(kPut), 67},
      {on_request(2).after_bytes(3), std::string(kPut) + std::string(kGet), kPut.size() + 3},
      {on_request(1).after_bytes(3), "\x16\x03\x01\x02", 3},
      {on_response(2), std::string(kContinue) + std::string(kOk), 25},
      {on_response(2).after_head(), std::string(kContinue) + std::string(kOk) + "hello", 63},
      {on_response(2).on_body_byte(1).asked_with({Method::head}), head_answers, 76},
      {on_response(2).asked_with({Method::head}), head_answers, 38},
      {on_response(1).after_head().asked_with({Method::connect}), "HTTP/1.1 200 OK\r\n\r\ntunnel", 19},
  };
  for (const PlaceCase& c : cases) {
    for_each_split(c.octets, [&](const Pieces& pieces) {
      EXPECT_EQ(strike(c.place, pieces), c.passed) << "case " << &c - cases << " in " << pieces.size();
    });
  }
}

}  // namespace
}  // namespace pipette::lab
