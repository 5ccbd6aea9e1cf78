#include "pipette/lab/matchers.h"

#include <chrono>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <string_view>
#include <utility>

#include "pipette/http/status.h"
#include "pipette/lab/check.h"
#include "pipette/lab/lab.h"

namespace pipette::lab {
namespace {

using namespace std::chrono_literals;
using testing::AllOf;
using testing::AnyOf;
using testing::Ge;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Lt;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;

using Fields = std::initializer_list<std::pair<std::string_view, std::string_view>>;

client::Response make_response(int status, Fields fields = {}, std::string body = "") {
  client::Response response;
  response.status = status;
  response.reason = http::reason_phrase(status);
  for (const auto& [name, value] : fields) EXPECT_TRUE(response.fields.add(name, value));
  response.body = std::move(body);
  return response;
}

client::Request make_get(std::string url) {
  client::Request request;
  request.url = std::move(url);
  return request;
}

// What a test that expects too much is told: the lines behind "Value of".
template <class T, class M>
std::string complaint(const T& value, const M& matcher) {
  const testing::AssertionResult result = testing::internal::MakePredicateFormatterFromMatcher(matcher)("it", value);
  EXPECT_FALSE(result);
  return result.message();
}

// ---- responses ------------------------------------------------------------------------------------------------------

TEST(ResponseMatchers, HoldOfWhatIsThere) {
  const client::Response response = make_response(200, {{"ETag", "\"v1\""}, {"Vary", "Accept"}}, "Hello");
  EXPECT_THAT(response, HasStatus(200));
  EXPECT_THAT(response, HasStatus(AllOf(Ge(200), Lt(300))));
  EXPECT_THAT(response, HasHeader("etag"));
  EXPECT_THAT(response, HasHeader("etag", "\"v1\""));
  EXPECT_THAT(response, HasHeader("ETAG", std::string("\"v1\"")));
  EXPECT_THAT(response, HasHeader("ETag", StartsWith("\"v")));
  EXPECT_THAT(response, HasHeader("ETag", SizeIs(4)));
  EXPECT_THAT(response, HasNoHeader("Location"));
  EXPECT_THAT(response, BodyIs("Hello"));
  EXPECT_THAT(response, BodyIs(HasSubstr("ell")));
  EXPECT_THAT(response, AllOf(HasStatus(200), Not(HasStatus(404)), BodyIs("Hello"), Not(BodyIs(IsEmpty()))));
  EXPECT_THAT(response, AnyOf(HasStatus(304), HasHeader("Vary", "Accept")));
}

TEST(ResponseMatchers, HoldOfNothingElse) {
  const client::Response response = make_response(200, {{"ETag", "\"v1\""}}, "Hello");
  EXPECT_THAT(response, Not(HasStatus(201)));
  EXPECT_THAT(response, Not(HasStatus(Ge(300))));
  EXPECT_THAT(response, Not(HasHeader("ETags")));
  EXPECT_THAT(response, Not(HasHeader("ETag", "\"v2\"")));
  EXPECT_THAT(response, Not(HasHeader("ETag", HasSubstr("w"))));
  EXPECT_THAT(response, Not(HasNoHeader("etag")));
  EXPECT_THAT(response, Not(BodyIs("hello")));
  EXPECT_THAT(response, Not(BodyIs(IsEmpty())));
}

TEST(ResponseMatchers, TakeTheResultOfACall) {
  Result<client::Response> result = make_response(204);
  EXPECT_THAT(result, AllOf(HasStatus(204), HasNoHeader("ETag"), BodyIs("")));
  result = fail(Errc::timed_out);
  EXPECT_THAT(result, Not(HasStatus(204)));
  EXPECT_THAT(result, Not(HasNoHeader("ETag")));
  EXPECT_THAT(result, Not(BodyIs("")));
}

TEST(ResponseMatchers, TakeOneFieldOfSeveral) {
  const client::Response response = make_response(200, {{"Set-Cookie", "a=1"}, {"Set-Cookie", "b=2"}});
  EXPECT_THAT(response, HasHeader("Set-Cookie", "a=1"));
  EXPECT_THAT(response, HasHeader("Set-Cookie", "b=2"));
  EXPECT_THAT(response, HasHeader("Set-Cookie", StartsWith("b")));
}

// ---- what they say --------------------------------------------------------------------------------------------------

constexpr std::string_view kShownResponse =
    "HTTP/1.1 200 OK\n"
    "ETags: \"v1\"\n"
    "Vary: Accept\n"
    "body of 6 octets: \"Hello\\x00\" (of type pipette::client::Response), ";

TEST(ResponseMatchers, ShowTheResponseAndWhatComesNearest) {
  const client::Response response =
      make_response(200, {{"ETags", "\"v1\""}, {"Vary", "Accept"}}, std::string("Hello\0", 6));
  const auto says = [&](const auto& matcher) {
    const std::string text = complaint(response, matcher);
    const std::size_t at = text.find(kShownResponse);
    EXPECT_NE(at, std::string::npos) << text;
    return text.substr(0, at) + text.substr(std::min(text.size(), at + kShownResponse.size()));
  };
  EXPECT_EQ(says(HasStatus(404)),
            "Value of: it\nExpected: has a status that is equal to 404\n  Actual: whose status is 200 OK");
  EXPECT_EQ(says(HasHeader("etag")),
            "Value of: it\nExpected: has the field \"etag\"\n"
            "  Actual: which has no field \"etag\"; the nearest is ETags: \"\\\"v1\\\"\"");
  EXPECT_EQ(
      says(HasHeader("ETags", "\"v2\"")),
      "Value of: it\nExpected: has the field \"ETags\", which is equal to \"\\\"v2\\\"\"\n"
      "  Actual: which has ETags: \"\\\"v1\\\"\", the first difference at octet 2: \"1\\\"\" instead of \"2\\\"\"");
  EXPECT_EQ(says(HasHeader("Vary", SizeIs(7))),
            "Value of: it\nExpected: has the field \"Vary\", which size is equal to 7\n"
            "  Actual: which has Vary: \"Accept\", whose size 6 doesn't match");
  EXPECT_EQ(says(HasHeader("Location")),
            "Value of: it\nExpected: has the field \"Location\"\n"
            "  Actual: which has no field \"Location\"; there are ETags, Vary");
  EXPECT_EQ(says(HasNoHeader("vary")),
            "Value of: it\nExpected: has no field \"vary\"\n  Actual: which has vary: \"Accept\"");
  EXPECT_EQ(says(BodyIs("Hello, world")),
            "Value of: it\nExpected: has a body that is equal to \"Hello, world\"\n"
            "  Actual: whose body is of 6 octets instead of 12, "
            "the first difference at octet 5: \"\\x00\" instead of \", world\"");
  EXPECT_EQ(says(Not(HasStatus(200))),
            "Value of: it\nExpected: has a status that isn't equal to 200\n  Actual: whose status is 200 OK");
}

TEST(ResponseMatchers, SayWhyACallFailed) {
  const Result<client::Response> failed = fail(Errc::timed_out);
  EXPECT_THAT(complaint(failed, HasStatus(200)),
              testing::EndsWith("which is no response: " + make_error_code(Errc::timed_out).message()));
}

TEST(ResponseMatchers, ShowTheRequestWhereItIsKnown) {
  struct Call {
    client::Request request;
    Result<client::Response> response;
  };
  const Call call{make_get("http://app/x"), make_response(404)};
  EXPECT_THAT(call, HasStatus(404));
  testing::StringMatchResultListener listener;
  EXPECT_FALSE(testing::ExplainMatchResult(HasStatus(200), call, &listener));
  EXPECT_EQ(listener.str(), "whose status is 404 Not Found\nto GET http://app/x");
}

// ---- verdicts -------------------------------------------------------------------------------------------------------

TEST(Verdict, NamesTheNearestFields) {
  struct Case {
    std::string_view name;
    Fields fields;
    std::string_view why;
  };
  const Case cases[] = {
      {"ETag", {}, "which has no field \"ETag\", and no other"},
      {"ETag", {{"Etag-X", "1"}}, "which has no field \"ETag\"; the nearest is Etag-X: \"1\""},
      {"X-Request-Id",
       {{"X-RequestId", "7"}, {"Date", "now"}},
       "which has no field \"X-Request-Id\"; the nearest is X-RequestId: \"7\""},
      {"Contents-Typ",
       {{"Content-Length", "1"}, {"Content-Type", "a/b"}, {"Content-Range", "x"}, {"Context-Type", "c"}},
       "which has no field \"Contents-Typ\"; the nearest are Content-Type: \"a/b\", Context-Type: \"c\""},
      {"Age", {{"Date", "x"}, {"Vary", "y"}}, "which has no field \"Age\"; the nearest is Date: \"x\""},
      {"Location", {{"Server", "x"}, {"Server", "y"}}, "which has no field \"Location\"; there are Server, Server"},
  };
  for (const Case& c : cases) {
    const Verdict verdict = has_header(make_response(200, c.fields), c.name);
    EXPECT_FALSE(verdict);
    EXPECT_EQ(verdict.why(), c.why);
  }
}

TEST(Verdict, MarksTheFirstDifference) {
  struct Case {
    std::string_view actual;
    std::string_view expected;
    std::string_view why;
  };
  const Case cases[] = {
      {"", "", "no difference"},
      {"a", "b", "the first difference at octet 0: \"a\" instead of \"b\""},
      {"abc", "ab", "the first difference at octet 2: \"c\" instead of the end"},
      {"ab", "abc", "the first difference at octet 2: the end instead of \"c\""},
      {"line\r\n", "line\n", "the first difference at octet 4: \"\\r\\n\" instead of \"\\n\""},
      {"0123456789012345678901234", "x",
       "the first difference at octet 0: \"012345678901234567890123\"… instead of \"x\""},
  };
  for (const Case& c : cases) EXPECT_EQ(explain_difference(c.actual, c.expected), c.why);
}

TEST(Verdict, NamesEveryFieldOfThatNameThatIsWrong) {
  const client::Response response = make_response(200, {{"Vary", "a"}, {"Vary", "bc"}});
  EXPECT_EQ(has_header(response, "Vary", "b").why(),
            "which has Vary: \"a\", the first difference at octet 0: \"a\" instead of \"b\""
            ", and Vary: \"bc\", the first difference at octet 1: \"c\" instead of the end");
  EXPECT_EQ(has_header(response, "Vary", "bc").why(), "which has Vary: \"bc\"");
}

TEST(Verdict, TakesTheResultOfACall) {
  Result<client::Response> response = make_response(200, {{"Vary", "a"}}, "b");
  EXPECT_TRUE(has_status(response, 200));
  EXPECT_TRUE(has_header(response, "vary"));
  EXPECT_TRUE(has_header(response, "vary", "a"));
  EXPECT_TRUE(has_no_header(response, "ETag"));
  EXPECT_TRUE(has_body(response, "b"));
  response = fail(Errc::timed_out);
  for (const Verdict& verdict : {has_status(response, 200), has_header(response, "vary"), has_no_header(response, "x"),
                                 has_header(response, "vary", "a"), has_body(response, "b")}) {
    EXPECT_FALSE(verdict);
    EXPECT_THAT(verdict.why(), StartsWith("no response: "));
  }
}

TEST(Describe, ShowsMessagesWhole) {
  client::Request request = make_get("http://app/");
  EXPECT_EQ(describe(request), "GET http://app/");
  request.method = http::Method::post;
  request.body = "x";
  EXPECT_TRUE(request.fields.set("A", "b"));
  EXPECT_EQ(describe(request), "POST http://app/\nA: b\nbody of 1 octet: \"x\"");
  EXPECT_EQ(describe(make_response(599)), "HTTP/1.1 599 Unknown\nno body");
}

TEST(Describe, ShowsTheBeginningOfALongBody) {
  const std::string shown = describe(make_response(200, {}, std::string(1000, 'x')));
  EXPECT_EQ(shown, "HTTP/1.1 200 OK\nbody of 1000 octets: \"" + std::string(kShownBodyBytes, 'x') + "\"…");
}

// ---- peers, errors, time --------------------------------------------------------------------------------------------

TEST(PeerMatchers, TellHowAConnectionStands) {
  const Server server([](RequestCtx& ctx) {
    if (ctx.path() == "/close") ctx.set_connection_close();
  });
  Lab lab;
  lab.serve(server, "app:80");
  Peer peer = lab.connect("app:80");
  EXPECT_THAT(peer, Not(ClosedByPeer()));
  EXPECT_EQ(complaint(peer, ClosedByPeer()),
            "Value of: it\nExpected: was closed by the other side\n  Actual: a peer (of type pipette::lab::Peer), "
            "which is open after 0 B \"\"");
  peer.send("junk\r\n\r\n");
  EXPECT_THAT(peer, ClosedByPeer());
  EXPECT_THAT(peer, Not(WasReset()));
  EXPECT_THAT(complaint(peer, WasReset()), HasSubstr(", which was closed after 1"));
}

TEST(PeerMatchers, TellAReset) {
  Lab lab;
  auto listener = lab.runtime().network().listen(*net::Address::parse("app:80"));
  Peer peer = lab.connect("app:80");
  (*listener)->try_accept()->connection->abort();
  EXPECT_THAT(peer, AllOf(WasReset(), ClosedByPeer()));
  EXPECT_THAT(complaint(peer, Not(WasReset())), HasSubstr("Expected: was not reset\n"));
}

TEST(IsError, ComparesResultsAndCodes) {
  const Result<int> failed = fail(Errc::timed_out);
  EXPECT_THAT(failed, IsError(Errc::timed_out));
  EXPECT_THAT(failed, IsError(std::errc::timed_out));
  EXPECT_THAT(failed.error(), IsError(std::errc::timed_out));
  EXPECT_THAT(failed, Not(IsError(Errc::connection_reset)));
  EXPECT_THAT(Result<int>(1), Not(IsError(Errc::timed_out)));
  EXPECT_THAT(Result<void>(fail(Errc::bad_uri)), IsError(Errc::bad_uri));
  EXPECT_THAT(complaint(failed, IsError(Errc::connection_reset)),
              AllOf(HasSubstr("Expected: is Errc::connection_reset (connection reset by the peer)\n"),
                    HasSubstr(", which is Errc::timed_out (deadline expired)")));
  EXPECT_THAT(complaint(failed, Not(IsError(Errc::timed_out))), HasSubstr("Expected: is not Errc::timed_out ("));
  EXPECT_THAT(complaint(failed, IsError(std::errc::io_error)), HasSubstr("Expected: is generic 5 ("));
  EXPECT_THAT(complaint(Result<int>(1), IsError(Errc::connection_reset)), HasSubstr(", which is no error"));
}

TEST(DescribeError, NamesEveryErrcAsAProgramDoes) {
  EXPECT_EQ(describe_error(Errc::would_block), "Errc::would_block (not yet)");
  const int last = static_cast<int>(Errc::too_many_interim_responses);
  for (int code = 1; code <= last; ++code) {
    EXPECT_THAT(describe_error(make_error_code(static_cast<Errc>(code))), testing::MatchesRegex("Errc::[a-z_0-9]+ .+"));
  }
  EXPECT_THAT(describe_error(std::make_error_code(std::errc::timed_out)), testing::StartsWith("generic 110 ("));
}

TEST(MatchesGolden, ShowsADifferenceOnce) {
  const std::string path = testing::TempDir() + "pipette_matches_golden.txt";
  inmem::EventLog log;
  log.note(TimePoint(), "first");
  EXPECT_THAT(log, MatchesGolden(path, {}, GoldenMode::update));
  EXPECT_THAT(log, MatchesGolden(path, {}, GoldenMode::compare));
  EXPECT_THAT("+0.000000000  first\n", MatchesGolden(path, {}, GoldenMode::compare));
  EXPECT_THAT("+0.000000000  second\n", MatchesGolden(path, Masks().pattern("  *"), GoldenMode::compare));
  log.note(TimePoint(), "second");
  EXPECT_THAT(log, Not(MatchesGolden(path, {}, GoldenMode::compare)));
  EXPECT_EQ(complaint(log, MatchesGolden(path, {}, GoldenMode::compare)),
            "Value of: it\nExpected: is what the golden file " + path +
                " tells\n  Actual: a log of 2 events (of type pipette::inmem::EventLog), "
                "what happened is not what the golden file " +
                path +
                " tells (- golden, + now):\n    +0.000000000  first\n  + +0.000000000  second\nif it is right now, "
                "run this test with PIPETTE_UPDATE_GOLDEN=1, and commit the file\n");
  std::filesystem::remove(path);
}

TEST(TookVirtual, MeasuresLabsAndDurations) {
  Lab lab;
  lab.advance(4s);
  EXPECT_THAT(lab, TookVirtual(4s));
  EXPECT_THAT(lab, TookVirtual(Lt(5s)));
  EXPECT_THAT(Duration(3ms), TookVirtual(Ge(3ms)));
  EXPECT_EQ(complaint(lab, TookVirtual(Lt(4s))),
            "Value of: it\nExpected: took a virtual time that is < 4s\n"
            "  Actual: a lab (of type pipette::lab::Lab), which took 4 s");
  EXPECT_THAT(
      complaint(250ms, TookVirtual(1s)),
      AllOf(HasSubstr("Expected: took a virtual time that is equal to 1000000000ns\n"), HasSubstr("Actual: 250ms")));
}

}  // namespace
}  // namespace pipette::lab
