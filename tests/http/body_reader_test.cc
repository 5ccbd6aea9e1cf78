// Bodies of each length (RFC 9112 §6). Every body is delivered whole, octet by octet and cut at every place.
#include "pipette/http/body_reader.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using Kind = BodyLength::Kind;
using test::BodyOutcome;
using test::read_body;
using test::read_chunked;

TEST(BodyReader, IsCompleteAtOnceWithoutABody) {
  for (const BodyLength length : {BodyLength{Kind::none, 0}, BodyLength{Kind::exact, 0}}) {
    const BodyOutcome body = read_body("GET / HTTP/1.1\r\n", length);
    EXPECT_EQ(body, (BodyOutcome{.is_complete = true}));
    EXPECT_TRUE(BodyReader(length, {}).is_complete());
  }
}

TEST(BodyReader, TakesExactlyTheDeclaredLength) {
  const BodyOutcome body = read_body("hello, next", {Kind::exact, 5});
  EXPECT_EQ(body, (BodyOutcome{.data = "hello", .consumed = 5, .is_complete = true}));
}

TEST(BodyReader, WaitsForTheDeclaredLength) {
  const BodyOutcome body = read_body("hell", {Kind::exact, 5});
  EXPECT_EQ(body, (BodyOutcome{.data = "hell", .consumed = 4, .is_complete = false}));
}

TEST(BodyReader, LeavesOctetsOfEveryKindAsTheyAre) {
  std::string octets;
  for (int octet = 0; octet < 256; ++octet) octets += static_cast<char>(octet);
  EXPECT_EQ(read_body(octets, {Kind::exact, 256}).data, octets);
  EXPECT_EQ(read_chunked("100\r\n" + octets + "\r\n0\r\n\r\n").data, octets);
  EXPECT_EQ(read_body(octets, {Kind::until_close, 0}).data, octets);
}

TEST(BodyReader, RefusesADeclaredLengthOverTheLimitBeforeAnyOctet) {
  const BodyLimits limits{.max_body_bytes = 100};
  EXPECT_TRUE(BodyReader({Kind::exact, 99}, limits).check_declared_length());
  EXPECT_TRUE(BodyReader({Kind::exact, 100}, limits).check_declared_length());
  EXPECT_EQ(BodyReader({Kind::exact, 101}, limits).check_declared_length().error(), Errc::body_too_large);
  EXPECT_EQ(BodyReader({Kind::exact, UINT64_MAX}, limits).check_declared_length().error(), Errc::body_too_large);
  EXPECT_TRUE(BodyReader({Kind::none, 0}, limits).check_declared_length());
  EXPECT_TRUE(BodyReader({Kind::chunked, 0}, limits).check_declared_length());
}

TEST(BodyReader, ReadsUntilTheConnectionCloses) {
  BodyReader reader({Kind::until_close, 0}, {});
  EXPECT_EQ(reader.next("hello")->data, "hello");
  EXPECT_FALSE(reader.is_complete());
  EXPECT_TRUE(reader.finish());
  EXPECT_TRUE(reader.is_complete());
}

TEST(BodyReader, BoundsABodyThatEndsWithTheConnection) {
  const BodyLimits limits{.max_body_bytes = 10};
  EXPECT_EQ(read_body(std::string(10, 'x'), {Kind::until_close, 0}, limits).error, std::nullopt);
  const BodyOutcome body = read_body("12345678901234567890", {Kind::until_close, 0}, limits);
  EXPECT_EQ(body.error, Errc::body_too_large);
  EXPECT_EQ(body.data, "1234567890");
}

TEST(BodyReader, ABodyThatEndsEarlyIsIncomplete) {
  BodyReader exact({Kind::exact, 5}, {});
  EXPECT_TRUE(exact.next("hell"));
  EXPECT_EQ(exact.finish().error(), Errc::incomplete_message);
  for (const std::string_view octets : {"", "5", "5\r\n", "5\r\nhell", "5\r\nhello", "5\r\nhello\r\n",
                                        "5\r\nhello\r\n0", "5\r\nhello\r\n0\r\n", "0\r\nX: y\r\n"}) {
    BodyReader chunked({Kind::chunked, 0}, {});
    std::string rest(octets);
    while (!rest.empty()) {
      const auto step = chunked.next(rest);
      ASSERT_TRUE(step) << octets;
      if (step->consumed == 0) break;
      rest.erase(0, step->consumed);
    }
    EXPECT_EQ(chunked.finish().error(), Errc::incomplete_message) << octets;
  }
}

TEST(BodyReader, MayFinishOnceItIsComplete) {
  BodyReader reader({Kind::exact, 2}, {});
  EXPECT_TRUE(reader.next("ab")->is_complete);
  EXPECT_TRUE(reader.finish());
  const auto step = reader.next("more");
  EXPECT_EQ(step->consumed, 0U);
  EXPECT_TRUE(step->is_complete);
}

TEST(BodyReader, GivesDataInPlace) {
  BodyReader reader({Kind::chunked, 0}, {});
  const std::string octets = "5\r\nhello\r\n0\r\n\r\n";
  std::size_t at = 0;
  for (;;) {
    const auto step = reader.next(Bytes(octets).substr(at));
    ASSERT_TRUE(step);
    if (!step->data.empty()) {
      EXPECT_EQ(step->data.data(), octets.data() + 3);
    }
    at += step->consumed;
    if (step->is_complete) break;
    ASSERT_GT(step->consumed, 0U);
  }
  EXPECT_EQ(at, octets.size());
}

// ---- chunked: limits ---------------------------------------------------------------------------------------

TEST(ChunkedBody, IsBoundedExactly) {
  const BodyLimits limits{.max_body_bytes = 10};
  EXPECT_EQ(read_chunked("a\r\n1234567890\r\n0\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(read_chunked("5\r\n12345\r\n5\r\n12345\r\n0\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(read_chunked("b\r\n12345678901\r\n0\r\n\r\n", limits).error, Errc::body_too_large);
  EXPECT_EQ(read_chunked("5\r\n12345\r\n6\r\n123456\r\n0\r\n\r\n", limits).error, Errc::body_too_large);
  EXPECT_EQ(read_chunked("a\r\n1234567890\r\n1\r\n1\r\n0\r\n\r\n", limits).error, Errc::body_too_large);
}

TEST(ChunkedBody, IsRefusedAsSoonAsAChunkIsDeclaredTooLarge) {
  const BodyLimits limits{.max_body_bytes = 10};
  EXPECT_EQ(read_chunked("b\r\n", limits).error, Errc::body_too_large);
  EXPECT_EQ(read_chunked("ffffffffffffffff\r\n", limits).error, Errc::body_too_large);
  EXPECT_EQ(read_chunked("8000000000000000\r\n", limits).error, Errc::body_too_large);
  EXPECT_EQ(read_chunked("5\r\n12345\r\nffffffffffffffff\r\n", limits).error, Errc::body_too_large);
}

TEST(ChunkedBody, DoesNotOverflowWithoutALimit) {
  const BodyLimits limits{.max_body_bytes = UINT64_MAX};
  EXPECT_EQ(read_chunked("ffffffffffffffff\r\nab", limits).data, "ab");
  EXPECT_EQ(read_chunked("1\r\na\r\nffffffffffffffff\r\n", limits).error, Errc::body_too_large);
  EXPECT_EQ(read_chunked("1\r\na\r\nfffffffffffffffe\r\nab", limits).data, "aab");
}

TEST(ChunkedBody, BoundsWhatExtensionsCost) {
  const BodyLimits limits{.max_chunk_overhead_bytes = 100};
  for (const std::size_t size : {99U, 100U, 101U, 150U}) {
    const std::string line = "1;" + std::string(size - 4, 'x') + "\r\n";
    ASSERT_EQ(line.size(), size);
    const auto error = size <= 100 ? std::nullopt : std::optional(Errc::chunk_overhead_too_large);
    EXPECT_EQ(read_chunked(line + "a\r\n0\r\n\r\n", limits).error, error) << size;
  }
  EXPECT_EQ(read_chunked("1;" + std::string(1000, 'x'), limits).error, Errc::chunk_overhead_too_large);
  EXPECT_EQ(read_chunked("1;x=\"" + std::string(1000, 'x'), limits).error, Errc::chunk_overhead_too_large);
}

TEST(ChunkedBody, BoundsWhatLeadingZerosCost) {
  const BodyLimits limits{.max_chunk_overhead_bytes = 10};
  EXPECT_EQ(read_chunked("00000001\r\na\r\n0\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(read_chunked("000000001\r\na\r\n0\r\n\r\n", limits).error, Errc::chunk_overhead_too_large);
}

TEST(ChunkedBody, AddsUpWhatExtensionsCostOverManyChunks) {
  const BodyLimits limits{.max_chunk_overhead_bytes = 1000};
  std::string octets;
  for (int i = 0; i < 100; ++i) octets += "1;" + std::string(50, 'x') + "\r\na\r\n";
  EXPECT_EQ(test::deliver_body({octets}, {Kind::chunked, 0}, limits).error, Errc::chunk_overhead_too_large);
  EXPECT_EQ(test::deliver_body(test::one_by_one(octets), {Kind::chunked, 0}, limits).error,
            Errc::chunk_overhead_too_large);
}

TEST(ChunkedBody, TakesHonestChunksOfOneOctet) {
  constexpr std::size_t kSize = 1024 * 1024;
  const std::string_view chunk = "1\r\nx\r\n";
  BodyReader reader({Kind::chunked, 0}, {});
  std::size_t received = 0;
  for (std::size_t i = 0; i < kSize; ++i) {
    for (std::size_t at = 0; at < chunk.size();) {
      const auto step = reader.next(chunk.substr(at));
      ASSERT_TRUE(step) << i;
      at += step->consumed;
      received += step->data.size();
    }
  }
  EXPECT_EQ(received, kSize);
  EXPECT_EQ(reader.next("0\r\n")->consumed, 3U);
  EXPECT_TRUE(reader.next("\r\n")->is_complete);
}

// ---- steps -------------------------------------------------------------------------------------------------

TEST(ChunkedBody, TakesAWholeChunkAtAStep) {
  BodyReader reader({Kind::chunked, 0}, {});
  const auto step = reader.next("5\r\nhello\r\n3\r\nabc\r\n");
  EXPECT_EQ(step->consumed, 10U);
  EXPECT_EQ(step->data, "hello");
  EXPECT_EQ(reader.next("3\r\nabc\r\n0\r\n\r\n")->consumed, 8U);
  EXPECT_TRUE(reader.next("0\r\n\r\n")->is_complete);
}

TEST(BodyReader, StaysFailed) {
  // Octets that would make sense to a reader that had forgotten what it saw.
  BodyReader reader({Kind::chunked, 0}, {});
  EXPECT_EQ(reader.next("5;a b\r\n").error(), Errc::bad_chunk);
  EXPECT_EQ(reader.next("5\r\nhello\r\n0\r\n\r\n").error(), Errc::bad_chunk);
  EXPECT_EQ(reader.finish().error(), Errc::bad_chunk);
  BodyReader small({Kind::until_close, 0}, {.max_body_bytes = 2});
  EXPECT_EQ(small.next("abc")->data, "ab");
  EXPECT_EQ(small.next("c").error(), Errc::body_too_large);
  EXPECT_EQ(small.next("a").error(), Errc::body_too_large);
  EXPECT_EQ(small.finish().error(), Errc::body_too_large);
}

TEST(BodyReader, ReadsTheNextBodyOnceItIsReset) {
  BodyReader reader({Kind::chunked, 0}, {.max_body_bytes = 5});
  EXPECT_TRUE(reader.next("5\r\nhello\r\n"));
  EXPECT_TRUE(reader.next("0\r\nX: y\r\n\r\n")->is_complete);
  EXPECT_EQ(reader.trailers().size(), 1U);
  reader.reset({Kind::chunked, 0});
  EXPECT_TRUE(reader.trailers().empty());
  EXPECT_EQ(reader.next("5\r\nworld\r\n")->data, "world");
  EXPECT_EQ(reader.next("1\r\n!").error(), Errc::body_too_large);
  reader.reset({Kind::exact, 2});
  EXPECT_TRUE(reader.next("ab")->is_complete);
}

TEST(BodyReader, TakesPlainChunksAtOnceAsInPieces) {
  const std::string long_chunk(300, 'x');
  for (const std::string_view size : {"12c", "12C", "0012c", "00000000000012C"}) {
    const std::string octets = std::string(size) + "\r\n" + long_chunk + "\r\n1\r\na\r\n0\r\n\r\n";
    EXPECT_EQ(read_chunked(octets).data, long_chunk + "a") << size;
  }
  for (const std::string_view bad : {"1\r\nabc0\r\n\r\n", "1\r\na\r\r0\r\n\r\n", "1\r\na\n\n0\r\n\r\n",
                                     "1\n\na\r\n0\r\n\r\n", "\r\na\r\n0\r\n\r\n", "1g\r\na\r\n0\r\n\r\n"}) {
    EXPECT_EQ(read_chunked(bad).error, Errc::bad_chunk) << bad;
  }
}

// ---- trailers ----------------------------------------------------------------------------------------------

// The trailers of a chunked body that is delivered in `pieces`; each is moved to a block of its own, as octets that
// have arrived may be.
std::string trailers_in(const test::Pieces& pieces) {
  BodyReader reader({Kind::chunked, 0}, {});
  std::string pending;
  for (const std::string_view piece : pieces) {
    pending += piece;
    for (;;) {
      const test::ExactBlock block(pending);
      const auto step = reader.next(block.octets());
      EXPECT_TRUE(step);
      if (!step) return "refused";
      pending.erase(0, step->consumed);
      if (step->is_complete) return test::describe(reader.trailers());
      EXPECT_TRUE(reader.trailers().empty());
      if (step->consumed == 0) break;
    }
  }
  return "more is needed";
}

TEST(BodyReader, GivesTrailersInEverySplit) {
  const std::string octets = "1\r\na\r\n0\r\nX-Sum:  1 \r\nx-sum:2\r\nServer-Timing:\r\n\r\n";
  test::for_each_split(octets, [](const test::Pieces& pieces) {
    EXPECT_EQ(trailers_in(pieces), "\n<X-Sum> <1>\n<x-sum> <2>\n<Server-Timing> <>");
  });
}

TEST(BodyReader, DropsTrailersThatMayNotBeAny) {
  const std::string octets =
      "0\r\nContent-Length: 10\r\nX-Sum: 1\r\nHost: evil\r\nAuthorization: x\r\nETag: e\r\ntransfer-encoding: "
      "chunked\r\n"
      "\r\n";
  test::for_each_split(octets,
                       [](const test::Pieces& pieces) { EXPECT_EQ(trailers_in(pieces), "\n<X-Sum> <1>\n<ETag> <e>"); });
}

TEST(BodyReader, LooksTrailersUpByName) {
  BodyReader reader({Kind::chunked, 0}, {});
  const std::string octets = "0\r\nX-Sum: 1\r\nHost: evil\r\nETag: e\r\n\r\n";
  ASSERT_TRUE(reader.next(octets)->is_complete);
  EXPECT_EQ(reader.trailers().get("x-sum"), "1");
  EXPECT_EQ(reader.trailers().get(FieldName::etag), "e");
  EXPECT_EQ(reader.trailers().get(FieldName::host), std::nullopt);
}

TEST(BodyReader, HasNoTrailersWithoutChunks) {
  BodyReader reader({Kind::exact, 2}, {});
  EXPECT_TRUE(reader.next("abX: y\r\n\r\n")->is_complete);
  EXPECT_TRUE(reader.trailers().empty());
}

}  // namespace
}  // namespace pipette::http
