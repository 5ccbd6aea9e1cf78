// The limits of a head, each one octet (or field) below, at and above it (RFC 9110 §5.4, RFC 9112 §3).
#include <gtest/gtest.h>
#include <string>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using test::parse_request;
using test::parse_response;

constexpr std::string_view kRest = " HTTP/1.1\r\nHost: a\r\n\r\n";

// A field line of exactly `size` octets, its CRLF included.
std::string line_of(std::size_t size) { return "X: " + std::string(size - 5, 'v') + "\r\n"; }

TEST(HeadLimits, BoundTheTarget) {
  const HeadLimits limits{.max_target_bytes = 100};
  for (const std::size_t size : {99U, 100U, 101U, 102U, 200U}) {
    const auto error = size <= 100 ? std::nullopt : std::optional(Errc::target_too_long);
    EXPECT_EQ(parse_request("GET /" + std::string(size - 1, 'a') + std::string(kRest), limits).error, error) << size;
    EXPECT_EQ(parse_request("DELETE /" + std::string(size - 1, 'a') + std::string(kRest), limits).error, error) << size;
  }
}

TEST(HeadLimits, RefuseALongTargetBeforeItsLineHasEnded) {
  const HeadLimits limits{.max_target_bytes = 100};
  EXPECT_EQ(parse_request("GET /" + std::string(1000, 'a'), limits).error, Errc::target_too_long);
}

TEST(HeadLimits, TakeRequestLinesOf8000OctetsByDefault) {
  const std::string octets = "GET /" + std::string(8000, 'a') + std::string(kRest);
  EXPECT_EQ(test::deliver_request({octets}).size, octets.size());
  EXPECT_EQ(test::deliver_request(test::cut_at(octets, 4000)).size, octets.size());
}

TEST(HeadLimits, RefuseAMethodLongerThanAnyKnown) {
  EXPECT_EQ(parse_request(std::string(32, 'M') + " /" + std::string(kRest)).error, std::nullopt);
  EXPECT_EQ(parse_request(std::string(33, 'M') + " /" + std::string(kRest)).error, Errc::bad_method);
  const HeadLimits limits{.max_target_bytes = 10};
  EXPECT_EQ(parse_request(std::string(1000, 'M'), limits).error, Errc::bad_method);
  EXPECT_EQ(parse_request(std::string(1000, 'M') + " /" + std::string(kRest), limits).error, Errc::bad_method);
}

TEST(HeadLimits, BoundAFieldLine) {
  const HeadLimits limits{.max_field_bytes = 50};
  for (const std::size_t size : {49U, 50U, 51U, 52U, 100U}) {
    const auto error = size <= 50 ? std::nullopt : std::optional(Errc::field_too_large);
    EXPECT_EQ(parse_request("GET / HTTP/1.1\r\nHost: a\r\n" + line_of(size) + "\r\n", limits).error, error) << size;
    EXPECT_EQ(parse_request("GET / HTTP/1.1\r\n" + line_of(size) + "Host: a\r\n\r\n", limits).error, error) << size;
    EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n" + line_of(size) + "\r\n", limits).error, error) << size;
  }
}

TEST(HeadLimits, RefuseANameTooLongForItsIndexWhateverTheLimits) {
  const HeadLimits limits{.max_field_bytes = 1 << 20, .max_head_bytes = 1 << 21};
  for (const std::size_t size : {65'535U, 65'536U, 70'000U}) {
    const std::string octets = "GET / HTTP/1.1\r\nHost: a\r\n" + std::string(size, 'n') + ": v\r\n\r\n";
    const test::RequestOutcome request = test::deliver_request({octets}, limits);
    EXPECT_EQ(request.error, size <= 65'535 ? std::nullopt : std::optional(Errc::field_too_large)) << size;
  }
}

TEST(HeadLimits, RefuseALongFieldBeforeItsLineHasEnded) {
  const HeadLimits limits{.max_field_bytes = 50};
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  EXPECT_EQ(parse_request(start + std::string(100, 'n'), limits).error, Errc::field_too_large);
  EXPECT_EQ(parse_request(start + "X:" + std::string(100, ' '), limits).error, Errc::field_too_large);
  EXPECT_EQ(parse_request(start + "X: " + std::string(100, 'v'), limits).error, Errc::field_too_large);
}

TEST(HeadLimits, ATooLongLineIsTooLongWhateverElseIsWrongWithIt) {
  const HeadLimits limits{.max_field_bytes = 50};
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  const std::string end = "\r\n\r\n";
  EXPECT_EQ(parse_request(start + " " + std::string(100, 'n') + end, limits).error, Errc::field_too_large);
  EXPECT_EQ(parse_request(start + "X: \x01" + std::string(100, 'v') + end, limits).error, Errc::field_too_large);
  EXPECT_EQ(parse_request(start + "X: \r" + std::string(100, 'v') + end, limits).error, Errc::field_too_large);
}

TEST(HeadLimits, BoundTheNumberOfFields) {
  const HeadLimits limits{.max_fields = 5};
  for (const int count : {4, 5, 6, 20}) {
    std::string octets = "GET / HTTP/1.1\r\nHost: a\r\n";
    for (int i = 1; i < count; ++i) octets += "X: y\r\n";
    const auto error = count <= 5 ? std::nullopt : std::optional(Errc::too_many_fields);
    EXPECT_EQ(parse_request(octets + "\r\n", limits).error, error) << count;
  }
}

TEST(HeadLimits, TakesAHundredFieldsByDefault) {
  std::string octets = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 1; i < 100; ++i) octets += "X: y\r\n";
  EXPECT_EQ(test::deliver_request({octets + "\r\n"}).error, std::nullopt);
  EXPECT_EQ(test::deliver_request({octets + "X: y\r\n\r\n"}).error, Errc::too_many_fields);
}

TEST(HeadLimits, BoundTheWholeHead) {
  const HeadLimits limits{.max_head_bytes = 100};
  const std::string start = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (const std::size_t size : {99U, 100U, 101U, 102U, 103U, 150U}) {
    const std::string octets = start + line_of(size - start.size() - 2) + "\r\n";
    ASSERT_EQ(octets.size(), size);
    const auto error = size <= 100 ? std::nullopt : std::optional(Errc::head_too_large);
    EXPECT_EQ(parse_request(octets, limits).error, error) << size;
  }
}

TEST(HeadLimits, BoundTheWholeHeadOfAResponse) {
  const HeadLimits limits{.max_head_bytes = 100};
  const std::string start = "HTTP/1.1 200 OK\r\n";
  for (const std::size_t size : {99U, 100U, 101U, 102U, 103U, 150U}) {
    const std::string octets = start + line_of(size - start.size() - 2) + "\r\n";
    const auto error = size <= 100 ? std::nullopt : std::optional(Errc::head_too_large);
    EXPECT_EQ(parse_response(octets, limits).error, error) << size;
  }
}

TEST(HeadLimits, AStatusLineLongerThanTheHeadIsTooLargeAHead) {
  for (const std::size_t size : {1U, 10U, 16U, 17U, 18U}) {
    const HeadLimits limits{.max_head_bytes = size};
    EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\n\r\n", limits).error, Errc::head_too_large) << size;
    EXPECT_EQ(parse_response("HTTP/1.1 200 OK\r\nX: y\r\n\r\n", limits).error, Errc::head_too_large) << size;
  }
}

TEST(HeadLimits, ARequestLineThatFillsTheHeadIsTooLargeAHead) {
  const HeadLimits limits{.max_head_bytes = 60};
  for (const std::size_t target : {30U, 43U, 44U, 45U, 46U, 47U, 60U, 100U}) {
    const std::string octets = "GET /" + std::string(target - 1, 'a') + std::string(kRest);
    EXPECT_EQ(parse_request(octets, limits).error,
              octets.size() <= 60 ? std::nullopt : std::optional(Errc::head_too_large))
        << target;
  }
}

TEST(HeadLimits, ATooLongTargetIsOneAlsoWhenItIsLongerThanTheHead) {
  const HeadLimits limits{.max_target_bytes = 20, .max_head_bytes = 80};
  for (const std::size_t target : {21U, 40U, 60U, 64U, 70U, 80U, 200U}) {
    EXPECT_EQ(parse_request("GET /" + std::string(target - 1, 'a') + std::string(kRest), limits).error,
              Errc::target_too_long)
        << target;
  }
}

TEST(HeadLimits, CountEmptyLinesBeforeTheRequestLine) {
  const HeadLimits limits{.max_head_bytes = 100};
  std::string empty_lines;
  for (int i = 0; i < 200; ++i) empty_lines += "\r\n";
  EXPECT_EQ(parse_request(empty_lines, limits).error, Errc::head_too_large);
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";  // 27 octets
  EXPECT_EQ(parse_request(empty_lines.substr(0, 72) + head, limits).error, std::nullopt);
  EXPECT_EQ(parse_request(empty_lines.substr(0, 74) + head, limits).error, Errc::head_too_large);
  EXPECT_EQ(parse_request(empty_lines.substr(0, 90) + head, limits).error, Errc::head_too_large);
}

TEST(HeadLimits, BoundTheReasonPhrase) {
  EXPECT_EQ(test::deliver_response({"HTTP/1.1 200 " + std::string(1024, 'r') + "\r\n\r\n"}).error, std::nullopt);
  EXPECT_EQ(test::deliver_response({"HTTP/1.1 200 " + std::string(1025, 'r') + "\r\n\r\n"}).error, Errc::bad_status);
  EXPECT_EQ(test::deliver_response({"HTTP/1.1 200 " + std::string(2000, 'r')}).error, Errc::bad_status);
}

}  // namespace
}  // namespace pipette::http
