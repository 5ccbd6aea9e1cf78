// A parser that has read other heads before sees in the next one what a fresh parser sees, whatever came before.
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include "pipette/base/random.h"

#include "tests/support/parsing.h"

namespace pipette::http {
namespace {

using test::Pieces;

template <class Parser, class Head>
class Connection {
 public:
  explicit Connection(const HeadLimits& limits = {}) : limits_(limits), parser_(limits) {}

  // Reads one more head here, and with a fresh parser.
  void expect_as_fresh(std::string_view octets, const Pieces& pieces) {
    const std::string fresh = test::describe(test::deliver_head<Parser, Head>({octets}, limits_));
    const std::string reused = test::deliver_next(parser_, head_, pieces);
    ASSERT_EQ(reused, fresh) << octets;
    if (!fresh.starts_with("refused")) return;
    parser_ = Parser(limits_);  // after an error the connection cannot go on: here comes the next one
    head_ = Head();
  }
  void expect_as_fresh(std::string_view octets) { expect_as_fresh(octets, {octets}); }

 private:
  HeadLimits limits_;
  Parser parser_;
  Head head_;
};

using RequestConnection = Connection<RequestParser, RequestHead>;
using ResponseConnection = Connection<ResponseParser, ResponseHead>;

const std::string kFields = "Host: example.com\r\nUser-Agent: a\r\nX-Own: some value\r\nAccept: */*\r\n";

TEST(ParserReuse, ReadsTheSameFieldsBehindOtherRequestLines) {
  RequestConnection connection;
  for (const std::string_view line :
       {"GET / HTTP/1.1", "GET / HTTP/1.1", "GET /longer/target?q=1 HTTP/1.1", "POST /x HTTP/1.1", "GET / HTTP/1.0",
        "GET / HTTP/1.1", "DELETE / HTTP/1.1", "OPTIONS * HTTP/1.1", "GET http://other/ HTTP/1.1",
        "CONNECT app:443 HTTP/1.1", "GET / HTTP/1.1"}) {
    const std::string octets = std::string(line) + "\r\n" + kFields + "\r\n";
    connection.expect_as_fresh(octets);
    connection.expect_as_fresh("\r\n" + octets);
  }
}

// The fields stand elsewhere in the second head, and the copy has octets of its own.
TEST(ParserReuse, CopiesRepeatedFieldsFromWhereTheyStandNow) {
  const std::string fields = "Content-Type: text/plain\r\nX-Own: some value\r\n\r\n";
  ResponseParser parser;
  ResponseHead head;
  for (const std::string_view line : {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 404 Not Found\r\n", "HTTP/1.1 200 OK\r\n",
                                      "HTTP/1.1 200 A reason phrase of some length\r\n", "HTTP/1.1 200 \r\n"}) {
    test::ExactBlock octets(std::string(line) + fields);
    parser.reset();
    ASSERT_EQ(parser.parse(octets.writable(), head), octets.octets().size());
    OwnedFields copy;
    copy.assign(head.fields, octets.octets());
    EXPECT_EQ(copy.get(FieldName::content_type), "text/plain") << line;
    EXPECT_EQ(copy.get("X-Own"), "some value") << line;
    ASSERT_TRUE(copy.add("Y", "z"));
    EXPECT_EQ(copy[0].name, "Content-Type");
    EXPECT_EQ(copy[2].value, "z");
  }
}

TEST(ParserReuse, DoesNotTrustAHeadThatAnotherParserHasUsed) {
  const std::string first = "GET / HTTP/1.1\r\nHost: first\r\n\r\n";
  const std::string other = "GET / HTTP/1.1\r\nHost: other\r\n\r\n";
  RequestParser parser;
  RequestHead head;
  ASSERT_EQ(parser.parse(first, head), first.size());
  RequestParser another;
  ASSERT_EQ(another.parse(other, head), other.size());
  parser.reset();
  ASSERT_EQ(parser.parse(first, head), first.size());
  EXPECT_EQ(head.authority, "first");
  EXPECT_EQ(head.fields.get(FieldName::host), "first");
}

TEST(ParserReuse, SeesEveryOctetThatHasChanged) {
  const std::string line = "GET / HTTP/1.1\r\n";
  const std::string octets = line + kFields + "\r\n";
  for (std::size_t place = line.size(); place < octets.size(); ++place) {
    for (const char c : {'x', ':', ' ', '\r', '\n', '\0'}) {
      RequestConnection connection;
      connection.expect_as_fresh(octets);
      connection.expect_as_fresh(octets);
      std::string changed = octets;
      changed[place] = c;
      connection.expect_as_fresh(changed);
      connection.expect_as_fresh(octets);
    }
  }
}

TEST(ParserReuse, SeesFieldsThatHaveComeAndGone) {
  RequestConnection connection;
  const std::string line = "GET / HTTP/1.1\r\n";
  for (const std::string& fields :
       {kFields, kFields + "More: 1\r\n", kFields, kFields.substr(0, 19), std::string("Host: other\r\n"), kFields,
        std::string("Accept: */*\r\n"), kFields + kFields, kFields, "A: b\r\n" + kFields, kFields + " folded\r\n",
        kFields}) {
    connection.expect_as_fresh(line + fields + "\r\n");
  }
}

TEST(ParserReuse, AsksEachVersionForItsHost) {
  RequestConnection connection;
  for (const std::string_view octets :
       {"GET / HTTP/1.0\r\nX: y\r\n\r\n", "GET / HTTP/1.0\r\nX: y\r\n\r\n", "GET / HTTP/1.1\r\nX: y\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "GET / HTTP/1.0\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\r\nHost: a\r\n\r\n"}) {
    connection.expect_as_fresh(octets);
  }
}

TEST(ParserReuse, HoldsTheLimitsForEachHead) {
  const std::string section = kFields + "\r\n";
  const HeadLimits limits{.max_head_bytes = section.size() + 40};
  RequestConnection connection(limits);
  for (const std::size_t target : {1U, 1U, 20U, 24U, 25U, 26U, 1U, 30U, 60U}) {
    connection.expect_as_fresh("GET /" + std::string(target - 1, 'a') + " HTTP/1.1\r\n" + section);
  }
}

TEST(ParserReuse, StartsOverInTheMiddleOfAHead) {
  const std::string octets = "GET / HTTP/1.1\r\n" + kFields + "\r\n";
  for (std::size_t size = 0; size < octets.size(); ++size) {
    RequestConnection connection;
    connection.expect_as_fresh(octets);
    connection.expect_as_fresh(Bytes(octets).substr(0, size));
    connection.expect_as_fresh(octets);
    connection.expect_as_fresh("GET / HTTP/1.1\r\nHost: b\r\n\r\n");
  }
}

TEST(ParserReuse, GivesTheSameInAnySplit) {
  const std::string first = "GET / HTTP/1.1\r\n" + kFields + "\r\n";
  for (const std::string& second :
       {first, "GET /longer HTTP/1.1\r\n" + kFields + "\r\n", "GET / HTTP/1.1\r\n" + kFields + "More: 1\r\n\r\n",
        "GET / HTTP/1.1\r\n" + kFields.substr(0, 40) + "Other: x\r\n\r\n", first + "GET /pipelined"}) {
    test::for_each_split(second, [&](const Pieces& pieces) {
      RequestConnection connection;
      connection.expect_as_fresh(first);
      connection.expect_as_fresh(first);
      connection.expect_as_fresh(second, pieces);
      connection.expect_as_fresh(first);
    });
  }
}

TEST(ParserReuse, ReadsResponsesAsFresh) {
  ResponseConnection connection;
  for (const std::string_view line :
       {"HTTP/1.1 200 OK", "HTTP/1.1 200 OK", "HTTP/1.1 404 Not Found", "HTTP/1.0 200 "}) {
    for (const std::string& fields : {kFields, kFields, std::string("A: b\r\n"), std::string()}) {
      connection.expect_as_fresh(std::string(line) + "\r\n" + fields + "\r\n");
    }
  }
}

// Heads made of few parts, so that neighbours often share some.
std::string random_head(Random& random) {
  constexpr std::string_view kLines[] = {"GET / HTTP/1.1", "GET /a HTTP/1.1",   "POST /b?c HTTP/1.1",
                                         "GET / HTTP/1.0", "PUT /%41 HTTP/1.1", "GET / HTTP/1.2"};
  constexpr std::string_view kSome[] = {"Host: a",
                                        "Host: a",
                                        "Host: b",
                                        "X: y",
                                        "x: y",
                                        "X:  y",
                                        "Accept: */*",
                                        "Content-Length: 5",
                                        "X:",
                                        "Y: zz",
                                        "Y: z\xff",
                                        "X-Long: a value of more than thirty-two octets, to and fro",
                                        "X-Long: a value of more than thirty-two octets, to and Fro"};
  std::string head = std::string(kLines[random.below(std::size(kLines))]) + "\r\n";
  const std::uint64_t count = random.below(6);
  if (random.below(8) > 0) head += "Host: example.com\r\n";
  for (std::uint64_t i = 0; i < count; ++i) head += std::string(kSome[random.below(std::size(kSome))]) + "\r\n";
  return head + "\r\n";
}

TEST(ParserReuse, ReadsAnySequenceOfHeadsAsFresh) {
  Random random(1, "parser reuse");
  RequestConnection connection({.max_fields = 5, .max_head_bytes = 200});
  std::string octets = random_head(random);
  for (int i = 0; i < 20'000; ++i) {
    if (random.below(3) > 0) octets = random_head(random);  // otherwise the same again
    if (random.below(2) == 0) {
      connection.expect_as_fresh(octets);
    } else {
      connection.expect_as_fresh(octets, test::cut_at(octets, random.below(octets.size())));
    }
    if (HasFatalFailure()) return;
  }
}

// A section that arrives in pieces is parsed, but is no other section.
TEST(ParserReuse, GoesOnRememberingASectionThatSometimesComesInPieces) {
  constexpr std::string_view kSection = "Accept: a\r\nX-Own: b\r\n\r\n";
  FieldSectionParser parser{HeadLimits()};
  Fields fields;
  for (int round = 0; round < 40; ++round) {
    parser.reset();
    ASSERT_EQ(parser.parse(kSection.substr(0, 15), fields), 0U);
    ASSERT_EQ(parser.parse(kSection, fields), kSection.size());
    parser.reset();
    ASSERT_EQ(parser.parse(kSection, fields), kSection.size());
    ASSERT_TRUE(parser.is_repeated()) << round;
    ASSERT_EQ(fields.get("X-Own"), "b");
  }
}

}  // namespace
}  // namespace pipette::http
