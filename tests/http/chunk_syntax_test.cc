// The chunked coding's grammar (RFC 9112 §7.1), octet by octet: what differs from it is refused, never repaired.
#include <gtest/gtest.h>
#include <string>
#include <string_view>

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using namespace std::string_view_literals;
using test::BodyOutcome;
using test::read_chunked;

struct Good {
  std::string_view octets, data;
};

TEST(ChunkSyntax, IsRead) {
  constexpr Good kRows[] = {
      {"0\r\n\r\n", ""},
      {"5\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5\r\nhello\r\n7\r\n, world\r\n0\r\n\r\n", "hello, world"},
      {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
      {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
      {"005\r\nhello\r\n00\r\n\r\n", "hello"},
      {"0000000000000005\r\nhello\r\n0000000000000000\r\n\r\n", "hello"},
      {"2\r\n\r\n\r\n0\r\n\r\n", "\r\n"},
      {"5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"},
      {"5;a\r\nhello\r\n0;b\r\n\r\n", "hello"},
      {"5;a=b\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=b;c;d=\"e\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\"\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\" ;,\t\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\"\\\"\\\\\\;\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;a=\"caf\xc3\xa9\"\r\nhello\r\n0\r\n\r\n", "hello"},
      {"5;!#$%&'*+-.^_`|~=1\r\nhello\r\n0\r\n\r\n", "hello"},
  };
  for (const Good& row : kRows) {
    const BodyOutcome body = read_chunked(std::string(row.octets) + "GET /next");
    EXPECT_EQ(body, (BodyOutcome{.data = std::string(row.data), .consumed = row.octets.size(), .is_complete = true}))
        << row.octets;
  }
}

TEST(ChunkSyntax, OfSizesIsHexDigitsAlone) {
  for (const std::string_view size : {
           ""sv,
           "g"sv,
           "x"sv,
           "0x5"sv,
           "0X5"sv,
           "5x"sv,
           "5g"sv,
           "+5"sv,
           "-5"sv,
           "-0"sv,
           "+0"sv,
           "5_0"sv,
           "1_0"sv,
           " 5"sv,
           "5 "sv,
           "\t5"sv,
           "5\t"sv,
           "  5"sv,
           "5 ;a"sv,
           "5,"sv,
           "5."sv,
           "5h"sv,
           "\"5\""sv,
           "0 5"sv,
           "\0005"sv,
           "5\0"sv,
           "\xb2"sv,
           "\xef\xbc\x95"sv,
           "FFFFFFFFFFFFFFFFF"sv,
           "FFFFFFFFFFFFFFFF0"sv,
           "00000000000000005"sv,
           "10000000000000000"sv,
           "10000000000000005"sv,
       }) {
    EXPECT_EQ(read_chunked(std::string(size) + "\r\nhello\r\n0\r\n\r\n").error, Errc::bad_chunk) << size;
    EXPECT_EQ(read_chunked("1\r\na\r\n" + std::string(size) + "\r\nhello\r\n0\r\n\r\n").error, Errc::bad_chunk) << size;
  }
}

TEST(ChunkSyntax, OfExtensionsIsNamesWithTokensOrQuotedStrings) {
  for (const std::string_view extension : {
           ";"sv,  // CVE-prone in many parsers: a bare semicolon
           "; "sv,
           ";;"sv,
           ";;a"sv,
           ";a;"sv,
           "; a"sv,
           " ;a"sv,
           ";a "sv,
           ";a b"sv,
           ";a =b"sv,
           ";a= b"sv,
           ";a=b "sv,
           ";="sv,
           ";=b"sv,
           ";a="sv,
           ";a=;b"sv,
           ";a=b=c"sv,
           ";a=b,c"sv,
           ";a,b"sv,
           ";[a]"sv,
           ";a=[b]"sv,
           ";\"a\""sv,
           ";a=\""sv,
           ";a=\"b"sv,
           ";a=\"b\\\""sv,
           ";a=\"b\"c"sv,
           ";a=\"b\" "sv,
           ";a=\"b\"\"c\""sv,
           ";a=b\"c\""sv,
           ";a\0b"sv,
           ";\0"sv,
           ";a=\0"sv,
           ";a=b\0"sv,
           ";a=\"\0\""sv,
           ";a=\"\\\0\""sv,
           ";a\x7f"sv,
           ";a=\"\x7f\""sv,
           ";a=\"\x01\""sv,
           ";a\rb"sv,
           ";\ra"sv,
           ";a=\"b\rc\""sv,
           ";a=\"\\\r\""sv,
           ";a\nb"sv,
           ";a=\"b\nc\""sv,
           ";a=\"b\r\nc\""sv,
           ";caf\xc3\xa9"sv,
           ";a=caf\xc3\xa9"sv,
       }) {
    EXPECT_EQ(read_chunked("5" + std::string(extension) + "\r\nhello\r\n0\r\n\r\n").error, Errc::bad_chunk)
        << extension;
    EXPECT_EQ(read_chunked("0" + std::string(extension) + "\r\n\r\n").error, Errc::bad_chunk) << extension;
  }
}

TEST(ChunkSyntax, NeedsCrLfBehindSizesAndData) {
  for (const std::string_view octets : {
           "5\nhello\r\n0\r\n\r\n"sv,    // LF behind a size
           "5;a\nhello\r\n0\r\n\r\n"sv,  // LF behind an extension
           "5;a=b\nhello\r\n0\r\n\r\n"sv,
           "5;a=\"b\"\nhello\r\n0\r\n\r\n"sv,
           "5\rhello\r\n0\r\n\r\n"sv,  // CR behind a size
           "5\r\rhello\r\n0\r\n\r\n"sv,
           "5\r\r\nhello\r\n0\r\n\r\n"sv,
           "5\rX\nhello\r\n0\r\n\r\n"sv,
           "5\r\nhello\n0\r\n\r\n"sv,  // LF behind data
           "5\r\nhello\r0\r\n\r\n"sv,  // CR behind data
           "5\r\nhello\r\r\n0\r\n\r\n"sv,
           "5\r\nhello0\r\n\r\n"sv,  // nothing behind data
           "5\r\nhello \r\n0\r\n\r\n"sv,
           "5\r\nhello!\r\n0\r\n\r\n"sv,  // one octet too many
           "5\rXhello\r\n0\r\n\r\n"sv,    // one wrong octet of the two, and all in order behind it
           "5\r\nhelloX\n0\r\n\r\n"sv,
           "5\r\nhello\rX0\r\n\r\n"sv,
           "0\rX\r\n"sv,
           "5\r\nhelloXX0\r\n\r\n"sv,        // two that are not looked at
           "5\r\nhell\r\n0\r\n\r\n"sv,       // one too few
           "5\r\nhello\r\n\r\n0\r\n\r\n"sv,  // an empty line between
           "\r\n5\r\nhello\r\n0\r\n\r\n"sv,
           "0\n\r\n"sv,
           "0\r\r\n"sv,
       }) {
    EXPECT_EQ(read_chunked(octets).error, Errc::bad_chunk) << octets;
  }
}

TEST(ChunkSyntax, GivesTheDataInFrontOfAMistake) {
  EXPECT_EQ(read_chunked("5\r\nhello\r\nx").data, "hello");
  EXPECT_EQ(read_chunked("5\r\nhelloX").data, "hello");
}

TEST(ChunkSyntax, WaitsForWhatIsMissing) {
  const std::string octets = "5;a=\"b\"\r\nhello\r\n0\r\nX: y\r\n\r\n";
  for (std::size_t size = 0; size < octets.size(); ++size) {
    const BodyOutcome body = test::deliver_body({Bytes(octets).substr(0, size)}, {BodyLength::Kind::chunked, 0});
    EXPECT_EQ(body.error, std::nullopt) << size;
    EXPECT_FALSE(body.is_complete) << size;
  }
}

TEST(Trailers, AreCheckedAndDropped) {
  for (const std::string_view trailers : {
           ""sv,
           "X: y\r\n"sv,
           "X:\r\n"sv,
           "A: 1\r\nB: 2\r\n"sv,
           "X-Checksum: caf\xc3\xa9\r\n"sv,
           // Fields that frame, route or authorise are no more than dropped like the others (RFC 9110 §6.5.1).
           "Content-Length: 10\r\n"sv,
           "Transfer-Encoding: chunked\r\n"sv,
           "Host: evil\r\n"sv,
           "Authorization: x\r\n"sv,
       }) {
    const std::string octets = "1\r\na\r\n0\r\n" + std::string(trailers) + "\r\n";
    const BodyOutcome body = read_chunked(octets + "GET /next");
    EXPECT_EQ(body, (BodyOutcome{.data = "a", .consumed = octets.size(), .is_complete = true})) << trailers;
  }
}

TEST(Trailers, ObeyTheRulesOfFields) {
  constexpr std::pair<std::string_view, Errc> kRows[] = {
      {"X : y\r\n\r\n", Errc::bad_field_name},
      {": y\r\n\r\n", Errc::bad_field_name},
      {"X\r\n\r\n", Errc::bad_field_name},
      {" X: y\r\n\r\n", Errc::bad_field_name},
      {"X: \0\r\n\r\n"sv, Errc::bad_field_value},
      {"X: a\x7fz\r\n\r\n", Errc::bad_field_value},
      {"X: y\r\n z\r\n\r\n", Errc::obsolete_line_folding},
      {"X: y\n\r\n", Errc::bad_line_end},
      {"X: y\rZ: a\r\n\r\n", Errc::bad_line_end},
      {"X: y\r\n\n", Errc::bad_line_end},
      {"\n", Errc::bad_line_end},
      {"\r\r\n", Errc::bad_line_end},
      {"\rX\n", Errc::bad_line_end},
  };
  for (const auto& [trailers, error] : kRows) {
    EXPECT_EQ(read_chunked("1\r\na\r\n0\r\n" + std::string(trailers)).error, error) << trailers;
  }
}

TEST(Trailers, ObeyTheLimitsOfFields) {
  const BodyLimits limits{.trailer = {.max_field_bytes = 20, .max_fields = 2, .max_head_bytes = 40}};
  EXPECT_EQ(read_chunked("0\r\nX: 345678901234567\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(read_chunked("0\r\nX: 34567890123456789\r\n\r\n", limits).error, Errc::field_too_large);
  EXPECT_EQ(read_chunked("0\r\nA: 1\r\nB: 2\r\n\r\n", limits).error, std::nullopt);
  EXPECT_EQ(read_chunked("0\r\nA: 1\r\nB: 2\r\nC: 3\r\n\r\n", limits).error, Errc::too_many_fields);
  EXPECT_EQ(read_chunked("0\r\nA: 345678901234567\r\nB: 345678901234567\r\n\r\n", limits).error, Errc::head_too_large);
}

}  // namespace
}  // namespace pipette::http
