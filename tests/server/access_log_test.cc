// How an exchange is written on a line, also when its client would rather it were two.
#include "pipette/server/access_log.h"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pipette/base/ascii.h"
#include "pipette/base/random.h"

#include "tests/support/serving.h"

namespace pipette::server {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;
using testing::ElementsAre;

const net::Address kRemote = *net::Address::parse("10.0.0.1:49152");
constexpr WallTime kTime = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22) + 17h + 123'456'789ns;

AccessRecord record_from(const net::Address& remote) {
  return {.connection_id = 7,
          .request_number = 2,
          .remote = remote,
          .time = kTime,
          .method = "GET",
          .target = "/a?b=c",
          .is_http_1_0 = false,
          .referer = "http://r/",
          .user_agent = "curl/8.0 x86",
          .status = 200,
          .response_body_bytes = 5,
          .took = 250us};
}

AccessRecord record() { return record_from(kRemote); }

// ---- the common formats --------------------------------------------------------------------------------------

TEST(CommonLog, HasWhatWasAskedForAndWhatWasAnswered) {
  EXPECT_EQ(to_common_log(record()), R"(10.0.0.1 - - [22/Nov/2026:17:00:00 +0000] "GET /a?b=c HTTP/1.1" 200 5)");
}

TEST(CommonLog, HasADashForWhatIsMissing) {
  AccessRecord refused = record();
  refused.method = refused.target = "";
  refused.status = 400;
  refused.response_body_bytes = 0;
  EXPECT_EQ(to_common_log(refused), R"(10.0.0.1 - - [22/Nov/2026:17:00:00 +0000] "-" 400 -)");
  refused.method = "GET";
  refused.is_http_1_0 = true;
  EXPECT_EQ(to_common_log(refused), R"(10.0.0.1 - - [22/Nov/2026:17:00:00 +0000] "GET - HTTP/1.0" 400 -)");
}

TEST(CommonLog, HasTheAddressWithoutItsPort) {
  struct Row {
    std::string_view remote;
    std::string_view begin;
  };
  for (const Row& row : {Row{"192.0.2.1:1", "192.0.2.1 - - ["}, Row{"[2001:db8::1]:80", "2001:db8::1 - - ["},
                         Row{"[::ffff:1.2.3.4]:80", "::ffff:1.2.3.4 - - ["}, Row{"unix:/a b\n \"GET", "- - - ["}}) {
    EXPECT_THAT(to_common_log(record_from(*net::Address::parse(row.remote))), testing::StartsWith(row.begin));
  }
  EXPECT_THAT(to_common_log(record_from(net::Address())), testing::StartsWith("- - - ["));
}

TEST(CommonLog, HasTheSecondInUtc) {
  struct Row {
    Duration since_1970;
    std::string_view text;
  };
  for (const Row& row : {Row{0s, "[01/Jan/1970:00:00:00 +0000]"}, Row{-1ns, "[31/Dec/1969:23:59:59 +0000]"},
                         Row{1'709'210'096s + 999ms, "[29/Feb/2024:12:34:56 +0000]"},
                         Row{Duration::max(), "[11/Apr/2262:23:47:16 +0000]"}}) {
    AccessRecord then = record();
    then.time = WallTime(row.since_1970);
    EXPECT_THAT(to_common_log(then), testing::HasSubstr(row.text));
  }
}

TEST(CombinedLog, AddsRefererAndUserAgent) {
  AccessRecord combined = record();
  EXPECT_EQ(to_combined_log(combined), to_common_log(combined) + R"( "http://r/" "curl/8.0 x86")");
  combined.referer = combined.user_agent = "";
  EXPECT_EQ(to_combined_log(combined), to_common_log(combined) + R"( "-" "-")");
}

TEST(CombinedLog, EscapesWhatWouldBreakItsLinesAndItsQuotes) {
  struct Row {
    std::string sent;
    std::string_view written;
  };
  for (const Row& row : {Row{"a\r\n10.0.0.9 - - [", R"(a\x0D\x0A10.0.0.9 - - [)"},  //
                         Row{R"(" 200 5 "x)", R"(\x22 200 5 \x22x)"},               //
                         Row{R"(\x22)", R"(\x5Cx22)"},                              //
                         Row{"a\tb\0c\x7f"s, R"(a\x09b\x00c\x7F)"},                 //
                         Row{"\x1b[2J", R"(\x1B[2J)"},                              //
                         Row{"\xe2\x82\xac\xff", R"(\xE2\x82\xAC\xFF)"}}) {
    const std::string written(row.written);
    AccessRecord hostile = record();
    hostile.method = hostile.target = hostile.referer = hostile.user_agent = row.sent;
    EXPECT_EQ(to_combined_log(hostile), "10.0.0.1 - - [22/Nov/2026:17:00:00 +0000] \"" + written + " " + written +
                                            " HTTP/1.1\" 200 5 \"" + written + "\" \"" + written + "\"");
  }
}

// ---- JSON ----------------------------------------------------------------------------------------------------

TEST(JsonLog, IsOneObject) {
  EXPECT_EQ(to_json_log(record()),
            R"({"time":"2026-11-22T17:00:00.123456Z","connection_id":7,"request_number":2,"remote":"10.0.0.1:49152",)"
            R"("method":"GET","target":"/a?b=c","protocol":"HTTP/1.1","status":200,"response_body_bytes":5,)"
            R"("took_seconds":0.000250,"referer":"http://r/","user_agent":"curl/8.0 x86"})");
}

TEST(JsonLog, HasAnEmptyStringForWhatIsMissing) {
  const net::Address nowhere;
  AccessRecord refused = record_from(nowhere);
  refused.method = refused.target = refused.referer = refused.user_agent = "";
  refused.status = 431;
  refused.response_body_bytes = 0;
  EXPECT_EQ(to_json_log(refused),
            R"({"time":"2026-11-22T17:00:00.123456Z","connection_id":7,"request_number":2,"remote":"nowhere",)"
            R"("method":"","target":"","protocol":"","status":431,"response_body_bytes":0,)"
            R"("took_seconds":0.000250,"referer":"","user_agent":""})");
}

TEST(JsonLog, HasTimesInMicroseconds) {
  struct Row {
    Duration since_1970;
    Duration took;
    std::string_view time;
    std::string_view took_seconds;
  };
  for (const Row& row : {Row{0s, 0s, "1970-01-01T00:00:00.000000Z", "0.000000"},
                         Row{-1ns, -1s, "1969-12-31T23:59:59.999999Z", "0.000000"},
                         Row{1'709'210'096s + 7us, 999ns, "2024-02-29T12:34:56.000007Z", "0.000000"},
                         Row{1'000'000'000s + 999'999'999ns, 1us, "2001-09-09T01:46:40.999999Z", "0.000001"},
                         Row{Duration::max(), Duration::max(), "2262-04-11T23:47:16.854775Z", "9223372036.854775"},
                         Row{1s, 3601s + 20ms, "1970-01-01T00:00:01.000000Z", "3601.020000"}}) {
    AccessRecord then = record();
    then.time = WallTime(row.since_1970);
    then.took = row.took;
    EXPECT_THAT(to_json_log(then), testing::HasSubstr("{\"time\":\"" + std::string(row.time) + "\","));
    EXPECT_THAT(to_json_log(then), testing::HasSubstr("\"took_seconds\":" + std::string(row.took_seconds) + ","));
  }
}

TEST(JsonLog, EscapesWhatIsNotPrintableAndReplacesWhatIsNotUtf8) {
  struct Row {
    std::string sent;
    std::string_view written;
  };
  for (const Row& row : {
           Row{"\",\"status\":200,\"x\":\"", R"(\",\"status\":200,\"x\":\")"},
           Row{"\\\" \\u0041", R"(\\\" \\u0041)"},
           Row{"\r\n\t\0\x1f\x7f"s, R"(\u000d\u000a\u0009\u0000\u001f\u007f)"},
           Row{"\xc2\x80\xdf\xbf", R"(\u0080\u07ff)"},                                      // the ends of two octets
           Row{"\xe0\xa0\x80\xef\xbf\xbf", R"(\u0800\uffff)"},                              // of three
           Row{"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", R"(\ud800\udc00\udbff\udfff)"},          // of four
           Row{"\xe2\x80\xa8\xe2\x80\xae\xf0\x9f\x98\x80", R"(\u2028\u202e\ud83d\ude00)"},  // separator, override
           Row{"\xc0\x8a\xc1\xbf", R"(\ufffd\ufffd\ufffd\ufffd)"},                          // longer than need be
           Row{"\xe0\x9f\xbf", R"(\ufffd\ufffd\ufffd)"},
           Row{"\xf0\x8f\xbf\xbf", R"(\ufffd\ufffd\ufffd\ufffd)"},
           Row{"\xed\x9f\xbf\xed\xa0\x80\xee\x80\x80", R"(\ud7ff\ufffd\ufffd\ufffd\ue000)"},  // a surrogate
           Row{"\xf4\x90\x80\x80", R"(\ufffd\ufffd\ufffd\ufffd)"},                            // beyond U+10FFFF
           Row{"\xf8\x88\x80\x80\x80\xff", R"(\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd)"},
           Row{"\x80z\xc3", R"(\ufffdz\ufffd)"},  // no beginning, no end
           Row{"\xe2\x82", R"(\ufffd\ufffd)"},
           Row{"\xe2\x82z", R"(\ufffd\ufffdz)"},
           Row{"\xe2\"", R"(\ufffd\")"},
       }) {
    AccessRecord hostile = record();
    hostile.method = hostile.target = hostile.referer = hostile.user_agent = row.sent;
    const std::string written = "\"" + std::string(row.written) + "\"";
    const std::string line = to_json_log(hostile);
    EXPECT_THAT(line, testing::HasSubstr("\"method\":" + written + ",\"target\":" + written + ",\"protocol\""));
    EXPECT_THAT(line, testing::EndsWith("\"referer\":" + written + ",\"user_agent\":" + written + "}"));
  }
}

TEST(JsonLog, EscapesAnAddressToo) {
  const net::Address hostile = *net::Address::parse("unix:/a\n\"b");
  EXPECT_THAT(to_json_log(record_from(hostile)), testing::HasSubstr(R"("remote":"unix:/a\u000a\"b",)"));
}

// ---- whatever was sent ---------------------------------------------------------------------------------------

// Reads an object of strings and numbers as RFC 8259 has it, without white space; the octets that may stand there are
// checked elsewhere. Nothing when it is none.
class JsonReader {
 public:
  explicit JsonReader(std::string_view text) : text_(text) {}

  std::optional<std::vector<std::string>> names() {
    std::vector<std::string> names;
    for (char before = '{'; !text_.starts_with('}'); before = ',') {
      const std::size_t at = text_.find(':');
      if (!take(before) || at == std::string_view::npos) return std::nullopt;
      names.emplace_back(text_.substr(1, at - 3));
      if (!take_string() || !take(':') || !(take_string() || take_number())) return std::nullopt;
    }
    return take('}') && text_.empty() ? std::optional(names) : std::nullopt;
  }

 private:
  bool take(char c) {
    const bool is_there = text_.starts_with(c);
    if (is_there) text_.remove_prefix(1);
    return is_there;
  }
  bool take_string() {
    if (!take('"')) return false;
    while (!text_.empty() && !text_.starts_with('"')) {
      if (take('\\') ? !take_escape() : !take(text_.front())) return false;
    }
    return take('"');
  }
  bool take_escape() {
    if (take('u')) {
      const std::string_view digits = text_.substr(0, 4);
      text_.remove_prefix(digits.size());
      return digits.size() == 4 && std::ranges::all_of(digits, ascii::is_hex_digit);
    }
    return take('"') || take('\\');
  }
  bool take_number() {
    const bool begins_with_zero = text_.starts_with('0');
    const std::size_t whole = take_digits();
    if (whole == 0 || (begins_with_zero && whole > 1)) return false;
    return !take('.') || take_digits() > 0;
  }
  std::size_t take_digits() {
    const std::size_t size = std::min(text_.find_first_not_of("0123456789"), text_.size());
    text_.remove_prefix(size);
    return size;
  }

  std::string_view text_;
};

bool is_printable(std::string_view line) {
  return std::ranges::all_of(line, [](char c) { return c >= 0x20 && c < 0x7f; });
}

// Every client's text in every place; each line is one, with the quotes and the names that it should have.
void expect_lines_of(std::string_view sent) {
  SCOPED_TRACE(testing::PrintToString(sent));
  AccessRecord hostile = record();
  hostile.method = hostile.target = hostile.referer = hostile.user_agent = sent;
  const std::string combined = to_combined_log(hostile);
  EXPECT_TRUE(is_printable(combined)) << combined;
  EXPECT_EQ(std::ranges::count(combined, '"'), 6) << combined;
  EXPECT_TRUE(combined.starts_with(to_common_log(hostile)));
  const std::string json = to_json_log(hostile);
  EXPECT_TRUE(is_printable(json)) << json;
  EXPECT_THAT(
      JsonReader(json).names(),
      testing::Optional(ElementsAre("time", "connection_id", "request_number", "remote", "method", "target", "protocol",
                                    "status", "response_body_bytes", "took_seconds", "referer", "user_agent")))
      << json;
  const std::size_t plain = to_json_log(record()).size();
  EXPECT_LE(json.size(), plain + 4 * 6 * sent.size());
}

TEST(AccessLog, StaysALineWhateverOctetIsSent) {
  std::string all;
  for (int i = 0; i < 256; ++i) {
    const char octet = static_cast<char>(i);
    all += octet;
    expect_lines_of({&octet, 1});
    expect_lines_of("a"s + octet);
    expect_lines_of(octet + "\x80\x80\x80"s);
  }
  expect_lines_of(all);
  std::ranges::reverse(all);
  expect_lines_of(all);
}

TEST(AccessLog, StaysALineWhateverIsSent) {
  constexpr std::string_view kFavourites = "\"\\\r\n\0u,}\x80\xbf\xc2\xe2\xed\xf0\xf4\xff"sv;
  Random random(1);
  for (int round = 0; round < 3'000; ++round) {
    std::string sent;
    for (std::uint64_t left = random.below(24); left > 0; --left) {
      const bool is_favourite = random.below(2) == 0;
      sent += is_favourite ? kFavourites[random.below(kFavourites.size())] : static_cast<char>(random.below(256));
    }
    expect_lines_of(sent);
  }
}

TEST(AccessLog, IsWrittenByAServer) {
  std::vector<std::string> lines;
  ServerOptions options;
  options.on_access = [&lines](const AccessRecord& of) {
    lines.push_back(to_combined_log(of));
    lines.push_back(to_json_log(of));
  };
  const auto act = [](RequestCtx& ctx) -> Task<> {
    co_await ctx.sleep(1500ms);
    ctx.set_body("Hello");
  };
  test::Serving app(act, options);
  Peer peer = app.connect();
  peer.send("HEAD /%0a HTTP/1.0\r\nUser-Agent: \"\xe9\r\n\r\n");
  app.lab().advance(2s);
  peer.take();
  EXPECT_THAT(
      lines,
      ElementsAre(R"(10.0.0.1 - - [01/Jan/2026:00:00:00 +0000] "HEAD /%0a HTTP/1.0" 200 - "-" "\x22\xE9")",
                  R"({"time":"2026-01-01T00:00:00.000000Z","connection_id":1,"request_number":1,)"
                  R"("remote":"10.0.0.1:49152","method":"HEAD","target":"/%0a","protocol":"HTTP/1.0","status":200,)"
                  R"("response_body_bytes":0,"took_seconds":1.500000,"referer":"","user_agent":"\"\ufffd"})"));
}

}  // namespace
}  // namespace pipette::server
