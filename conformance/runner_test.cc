// The runner itself: what is wrong with a case is said with its line, and a wrong expectation fails.
#include <gtest/gtest.h>
#include <string>

#include "conformance/case_file.h"
#include "conformance/check.h"
#include "conformance/octets.h"

namespace pipette::conformance {
namespace {

const std::string kHead = "## a case\nRFC 9112 \u00a72.1 \u00b7 MUST \u00b7 MSG-01\n";
const std::string kSent = "```request\nGET / HTTP/1.0\\r\\n\n\\r\\n\n```\n";
const std::string kEvents =
    "```events\nrequest GET HTTP/1.0\ntarget origin, authority \"\", path \"/\", query \"\"\nbody none\n"
    "complete, closes\n```\n";

std::string error_of(const std::string& text) {
  const auto cases = parse_cases("a.md", text);
  return cases ? "" : cases.error();
}

Case the_case(const std::string& text) {
  auto cases = parse_cases("a.md", text);
  EXPECT_TRUE(cases) << cases.error();
  return cases ? cases->at(0) : Case();
}

Case answered_by(const std::string& events) { return the_case(kHead + kSent + "```events\n" + events + "\n```\n"); }

TEST(CaseFile, ReadsACase) {
  const Case one = the_case("# A title\n\nProse.\n\n" + kHead + kSent + kEvents);
  EXPECT_EQ(one.title, "a case");
  EXPECT_EQ(one.line, 5U);
  EXPECT_EQ(one.octets, "GET / HTTP/1.0\r\n\r\n");
  EXPECT_EQ(one.events.size(), 4U);
  EXPECT_FALSE(one.is_not_met);
}

TEST(CaseFile, ReadsSettings) {
  const Case one =
      the_case(kHead + "```response, in answer to HEAD then GET, max_fields 2, then end of stream\n```\n" + kEvents);
  EXPECT_EQ(one.settings.head.max_fields, 2U);
  EXPECT_EQ(one.settings.in_answer_to, (std::vector{http::Method::head, http::Method::get}));
  EXPECT_TRUE(one.settings.then_end_of_stream);
}

TEST(CaseFile, ExplainsWhatIsWrong) {
  struct Row {
    std::string text;
    std::string error;
  };
  const Row rows[] = {
      {"", ":1: no case"},
      {"## a case\n" + kSent + kEvents, ":12: the case before has no requirement"},
      {kHead + kSent, ":7: the case before lacks a block"},
      {kHead + kEvents, ":3: events belong behind what is sent"},
      {kHead + kSent + kSent, ":7: a second block that is sent"},
      {kHead + kSent + "```events\n```\n", ":9: the case before expects nothing"},
      {kHead + kSent + "```events\nincomplete", ":8: a block that is not closed"},
      {kHead + kSent + "```events\ncompelte\n```\n", ":8: no such event: compelte"},
      {kHead + "```requset\n```\n", ":3: no such kind of input: requset"},
      {kHead + "```request, max_filds 2\n```\n", ":3: no such setting: max_filds 2"},
      {kHead + "```request, in answer to FETCH\n```\n", ":3: no such setting: in answer to FETCH"},
      {kHead + "```request\nGET \n```\n", ":4: a space at the end of a line"},
      {kHead + "```request\n\\q\n```\n", ":4: no such escape: \\q"},
      {kHead + "```request\n{a\n```\n", ":4: a brace"},
      {kHead + "```request\n\u00e4\n```\n", ":4: an octet that is not printable"},
      {kHead + "```write response\nstutas 200\n```\n", ":4: no such wish: stutas 200"},
      {kHead + "```write response\nfield \"X\"\n```\n", ":4: no such wish: field"},
      {kHead + "```write response\nbody \"x\n```\n", ":4: a string reads"},
      {"## a case\nRFC 9112 \u00a72.1 \u00b7 OUGHT \u00b7 MSG-01\n", ":2: no such level: OUGHT"},
      {"## a case\nRFC 9112 \u00a72.1 \u00b7 MUST \u00b7 MSG\n", ":2: a requirement's id"},
      {kHead + kSent + kEvents + "## a Case\n", ":13: a heading that is there already"},
      {"```request\n", ":1: a block in front of the first heading"},
  };
  for (const Row& row : rows) {
    const std::string error = error_of(row.text);
    EXPECT_TRUE(error.starts_with("conformance/a.md" + row.error)) << error << "\nof\n" << row.text;
  }
}

TEST(Check, TakesARightExpectation) { EXPECT_EQ(check(the_case(kHead + kSent + kEvents)), ""); }

TEST(Check, FindsAWrongExpectation) {
  EXPECT_NE(check(answered_by("incomplete")), "");
  EXPECT_NE(check(answered_by("refused bad_target 400")), "");
  EXPECT_NE(check(answered_by("request GET HTTP/1.0")), "") << "some of the events";
  EXPECT_NE(check(answered_by("request GET HTTP/1.0\ntarget origin, authority \"\", path \"/\", query \"\"\nbody none\n"
                              "complete")),
            "");
}

TEST(Check, SaysWhatCameInstead) {
  const std::string difference = check(answered_by("incomplete"));
  EXPECT_NE(difference.find("expected\n  incomplete\n"), std::string::npos) << difference;
  EXPECT_NE(difference.find("  complete, closes\n"), std::string::npos) << difference;
}

TEST(Check, FindsAWrongExpectationOfWhatIsWritten) {
  const std::string sent = "```write response\nbody \"hi\"\n```\n";
  EXPECT_NE(check(the_case(kHead + sent + "```events\nrefused bad_reason\n```\n")), "");
}

TEST(Octets, QuotesWhatItDecodes) {
  const std::pair<std::string_view, std::string_view> rows[] = {
      {"a\\r\\n\\t\\0b", "a\\r\\n\\t\\0b"},
      {"\\x41\\xfF", "A\\xff"},
      {"{ab*2}", "abab"},
      {"{a*16}", "{a*16}"},
      {"{a*15}", "aaaaaaaaaaaaaaa"},
      {"{\\r*20}", "{\\r*20}"},
      {"\\\\\\\"\\{}", "\\\\\\\"\\{}"},
      {"{x*0}", ""},
  };
  for (const auto& [notation, quoted] : rows) {
    const auto octets = decode(notation);
    ASSERT_TRUE(octets) << notation << ": " << octets.error();
    EXPECT_EQ(quote(*octets), "\"" + std::string(quoted) + "\"");
    EXPECT_EQ(decode(quoted), octets);
  }
}

TEST(Octets, RefusesWhatIsNoNotation) {
  for (const std::string_view notation :
       {"\\", "\\x4", "\\xg0", "\\y", "{", "{a}", "{a*}", "{*3}", "{a*x}", "{a*9", "\t", "\x7f", "{a*9000000}"}) {
    EXPECT_FALSE(decode(notation)) << notation;
  }
}

TEST(Names, AreMadeOfFilesAndHeadings) {
  EXPECT_EQ(suite_name("rfc9112/6_3_message_body_length.md"), "Rfc9112_6_3_MessageBodyLength");
  EXPECT_EQ(suite_name("smuggling/cl_te.md"), "Smuggling_ClTe");
  EXPECT_EQ(test_name("refuses a server's LF, twice"), "RefusesAServersLFTwice");
}

}  // namespace
}  // namespace pipette::conformance
