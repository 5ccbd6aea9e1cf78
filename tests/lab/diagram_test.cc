// The pictures as text: what is drawn and what is not. How they look, only an eye can tell.
#include "pipette/lab/diagram.h"

#include <array>
#include <cstdlib>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string>
#include <utility>
#include <vector>

#include "tests/lab/example_log.h"

namespace pipette::lab {
namespace {

using inmem::EventKind;
using inmem::EventLog;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;
using namespace std::chrono_literals;
using namespace std::string_literals;

std::size_t count(std::string_view text, std::string_view what) {
  std::size_t found = 0;
  for (std::size_t at = text.find(what); at != std::string_view::npos; at = text.find(what, at + 1)) ++found;
  return found;
}

class Diagram : public testing::Test {
 protected:
  std::string page() { return sequence_diagram(writer_.log(), "a test"); }
  std::string text() { return mermaid(writer_.log()); }
  // The vertical places of names and of the words in the picture.
  static std::size_t place(const std::string& page, std::string_view words) {
    const std::size_t at = page.find(words);
    EXPECT_NE(at, std::string::npos) << words;
    return at;
  }
  NetworkLogWriter writer_;
};

// ---- labels --------------------------------------------------------------------------------------------------

struct LabelRow {
  std::string octets;
  std::string label;  // escaped as it stands in the page
};

TEST_F(Diagram, LabelsMessages) {
  const std::array rows = {
      LabelRow{"GET /x HTTP/1.1\r\n\r\n", ">GET /x HTTP/1.1<"},
      LabelRow{"HTTP/1.1 404 Not Found\r\n\r\n", ">HTTP/1.1 404 Not Found<"},
      LabelRow{"GET /a HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n\r\n", ">GET /a + GET /b<"},
      LabelRow{"HTTP/1.1 200 OK\r\ncontent-LENGTH: 3\r\n\r\nabcHTTP/1.1 204 No Content\r\n\r\n",
               ">200 OK + 204 No Content<"},
      LabelRow{"GET /cut HT", ">&#34;GET /cut HT&#34;<"},
      LabelRow{"no method /x HTTP/1.1\r\n", ">no method /x HTTP/1.1<"},
      LabelRow{"b@d /x HTTP/1.1\r\n", ">&#34;b@d /x HTTP/1.1\\r\\n&#34;<"},
      LabelRow{"\0\xff"s, ">&#34;\\x00\\xff&#34;<"},
      LabelRow{"", ">&#34;&#34;<"},
  };
  for (const LabelRow& row : rows) {
    NetworkLogWriter writer;
    const auto c = writer.dial("client", "app", 80);
    writer.send(c, 0, row.octets);
    EXPECT_THAT(sequence_diagram(writer.log()), HasSubstr(row.label));
  }
}

TEST_F(Diagram, JoinsWhatIsWrittenAtOneMoment) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "PUT / HTTP/1.1\r\n\r\n").send(c, 0, std::string(2000, 'x')).send(c, 0, "y");
  writer_.in(1ms).send(c, 0, "later");
  EXPECT_THAT(page(), AllOf(HasSubstr("2,019 B in 3"), HasSubstr("&#34;later&#34;")));
}

TEST_F(Diagram, KeepsMessagesApart) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "GET /a HTTP/1.1\r\n\r\n").send(c, 0, "GET /b HTTP/1.1\r\n\r\n");
  EXPECT_THAT(page(), AllOf(HasSubstr(">GET /a HTTP/1.1<"), HasSubstr(">GET /b HTTP/1.1<")));
}

TEST_F(Diagram, ShowsOctetsLineByLineAndSaysWhatItCut) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "GET / HTTP/1.1\r\nA: \xfc\n\r\n" + std::string(3000, 'x'));
  const std::string html = page();
  EXPECT_THAT(html, HasSubstr("<pre>GET / HTTP/1.1\\r\\n\nA: \\xfc\\n\n\\r\\n\nxxx"));
  EXPECT_THAT(html, HasSubstr("… 1999 more octets</pre>"));
}

// ---- time ----------------------------------------------------------------------------------------------------

TEST_F(Diagram, SlopesWhereALinkTakesTime) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "level");
  EXPECT_THAT(page(), Not(HasSubstr("arrives at")));
  const auto d = writer_.dial("client", "app", 80);
  writer_.slow(d, 0).send(d, 0, "0123456789").in(20ms).arrive(d, 0, 4).in(5ms).arrive(d, 0, 6);
  const std::string html = page();
  EXPECT_THAT(html, HasSubstr("arrives at 0.025 s"));
  EXPECT_EQ(count(html, "matrix(1 0.000 0 1"), 3U);
}

TEST_F(Diagram, SaysWhatDidNotArrive) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.slow(c, 0).send(c, 0, "ab").in(1ms).arrive(c, 0, 2).send(c, 0, "cd");
  EXPECT_EQ(count(page(), ", no arrival</tspan>"), 1U);
}

TEST_F(Diagram, KnowsThatALinkWasQuickBeforeItWasChanged) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "quick").say(EventKind::link, "client -> app: latency 1 ms").in(1s).slow(c, 0).send(c, 0, "slow");
  writer_.in(1ms).arrive(c, 0, 4);
  const std::string html = page();
  EXPECT_THAT(html, Not(HasSubstr("no arrival")));
  EXPECT_THAT(html, HasSubstr("arrives at 1.001 s"));
}

TEST_F(Diagram, CallsNothingLostThatWasAnswered) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.slow(c, 0).send(c, 0, "a").in(1ms).arrive(c, 0, 1).slow(c, 0, false).send(c, 0, "b").send(c, 1, "answer");
  EXPECT_THAT(page(), Not(HasSubstr("no arrival")));
}

TEST_F(Diagram, CutsSilenceShort) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.in(1ms).send(c, 0, "a").in(1ms).send(c, 0, "b").in(90min).send(c, 0, "c");
  const std::string html = page();
  EXPECT_EQ(count(html, "nothing happens for"), 1U);
  EXPECT_THAT(html, AllOf(HasSubstr("nothing happens for 1.5 h"), HasSubstr(">5400.002 s<")));
}

// ---- marks -----------------------------------------------------------------------------------------------------

TEST_F(Diagram, MarksFailuresInRed) {
  const EventLog log = example_log();
  const std::string html = sequence_diagram(log, "t");
  for (const std::string_view words :
       {"read timed out (3)", "fault: the link app -&gt; store goes silent (2)", "RST: app aborts",
        "refused: nobody listens at that address", "accept failed: app:80: too many open files"}) {
    const std::size_t at = place(html, ">" + std::string(words) + "<");
    EXPECT_THAT(html.substr(html.rfind("<a href", at), 60), HasSubstr(" bad\"")) << words;
  }
  EXPECT_THAT(html, HasSubstr(">the client gives up<"));
}

TEST_F(Diagram, PutsClientsLeftAndServersRight) {
  writer_.dial("app", "store", 5000);
  writer_.dial("client", "app", 80);
  const std::string html = page();
  EXPECT_LT(place(html, "mid\">client<"), place(html, "mid\">app<"));
  EXPECT_LT(place(html, "mid\">app<"), place(html, "mid\">store<"));
}

TEST_F(Diagram, DrawsAHostThatTalksToItself) {
  const auto c = writer_.dial("app", "app", 80);
  writer_.send(c, 0, "me");
  EXPECT_THAT(page(), HasSubstr("1 host "));
  EXPECT_THAT(text(), HasSubstr("h0->>h0: 0 s #40;1#41; #34;me#34; 2 B"));
}

// ---- bounds ----------------------------------------------------------------------------------------------------

TEST_F(Diagram, ShowsTheEndOfALongStory) {
  for (int i = 0; i < 2500; ++i) writer_.in(1ms).say(EventKind::note, "note " + std::to_string(i));
  const std::string html = page();
  EXPECT_THAT(html, HasSubstr("The first 500 events are left out"));
  EXPECT_THAT(html, AllOf(Not(HasSubstr(">note 499<")), HasSubstr(">note 500<"), HasSubstr(">note 2499<")));
  const std::string short_text = text();
  EXPECT_LE(short_text.size(), 48'000U);
  EXPECT_THAT(short_text, AllOf(HasSubstr("earlier events"), HasSubstr("note 2499\n")));
}

TEST_F(Diagram, CountsWhatTheLogDropped) {
  NetworkLogWriter writer(1000);
  for (int i = 0; i < 100; ++i) writer.say(EventKind::note, "x");
  ASSERT_GT(writer.log().dropped(), 0U);
  const std::string left_out = std::to_string(writer.log().dropped());
  EXPECT_THAT(sequence_diagram(writer.log()), HasSubstr("The first " + left_out + " event"));
}

TEST_F(Diagram, HasRoomForSoManyHosts) {
  for (int i = 0; i < 40; ++i) {
    const auto c = writer_.dial("client-" + std::to_string(i), "app", 80);
    writer_.send(c, 0, "x");
  }
  const std::string html = page();
  EXPECT_THAT(html, AllOf(HasSubstr("24 hosts"), HasSubstr(">other hosts<")));
}

TEST_F(Diagram, OfNothingIsStillAPage) {
  EXPECT_THAT(page(), AllOf(StartsWith("<!doctype html>"), HasSubstr("0 events")));
  EXPECT_EQ(text(), "sequenceDiagram\n  participant h0 as world\n");
}

TEST_F(Diagram, IsTheSameForTheSameLog) {
  EXPECT_EQ(sequence_diagram(busy_log(40)), sequence_diagram(busy_log(40)));
  EXPECT_EQ(mermaid(busy_log(40)), mermaid(busy_log(40)));
}

// ---- hostile octets --------------------------------------------------------------------------------------------

constexpr std::string_view kAttack =
    "\"'></title></svg></style><script>alert(1)</script><img src=x onerror=alert(1)>\xff";

EventLog hostile_log() {
  const std::string attack = std::string(kAttack) + "\0\r\n; end %%{init: x}%% #lt; "s;
  NetworkLogWriter writer;
  const auto c = writer.dial_at(attack, "b" + attack, attack, attack, attack + " -> " + attack);
  for (int i = 0; i < 15; ++i) {
    const auto kind = static_cast<EventKind>(i);
    for (const std::uint32_t connection : {0U, c, 9U}) {
      for (const std::uint8_t side : {std::uint8_t{0}, std::uint8_t{1}, std::uint8_t{2}}) {
        writer.in(1ms);
        if (kind == EventKind::sent) {
          writer.send(connection, side, attack).send(connection, side, "GET /" + attack + " HTTP/1.1\r\n" + attack);
        } else {
          writer.arrive(connection, side, UINT64_MAX).say(kind, attack + " -> " + attack, connection, side);
        }
      }
    }
  }
  return writer.log();
}

TEST_F(Diagram, LetsNobodyInjectHtml) {
  const std::string html = sequence_diagram(hostile_log(), kAttack);
  const std::string harmless = sequence_diagram(example_log(), "t");
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_EQ(count(html, "</style>"), count(harmless, "</style>") - 1);  // one connection: no boxes to hide it
  EXPECT_EQ(count(html, "</title>"), 1 + count(html, "<a href=\"#e"));
  EXPECT_EQ(count(html, "<svg"), 2U);
  EXPECT_EQ(count(html, "</svg>"), 2U);
  EXPECT_EQ(html.find('\0'), std::string::npos);
}

TEST_F(Diagram, LoadsNothingAndRunsNothing) {
  const std::string html = sequence_diagram(example_log(), "t");
  EXPECT_THAT(html, HasSubstr("Content-Security-Policy\" content=\"default-src 'none';"));
  for (const std::string_view word : {"http:", "https:", "src=", "url(", "@import", "<script", "javascript:"}) {
    EXPECT_THAT(html, Not(HasSubstr(std::string(word))));
  }
}

TEST_F(Diagram, LetsNobodyInjectMermaid) {
  const std::string lines = mermaid(hostile_log());
  for (const char c : lines) EXPECT_TRUE(c == '\n' || static_cast<unsigned char>(c) >= 0x20);
  std::size_t begin = 0;
  for (std::size_t end = lines.find('\n'); end != std::string::npos; end = lines.find('\n', begin)) {
    const std::string line = lines.substr(begin, end - begin);
    begin = end + 1;
    EXPECT_TRUE(line == "sequenceDiagram" || line.starts_with("  h") || line.starts_with("  Note over h") ||
                line.starts_with("  participant h"))
        << line;
    EXPECT_THAT(line, AllOf(Not(HasSubstr("<")), Not(HasSubstr("%")), Not(HasSubstr("{"))));
  }
}

// ---- Mermaid -------------------------------------------------------------------------------------------------

TEST_F(Diagram, SaysTheSameInMermaid) {
  const auto c = writer_.dial("client", "app", 80);
  writer_.send(c, 0, "GET / HTTP/1.1\r\n\r\n").in(10s).say(EventKind::timed_out, "read", c, 1);
  writer_.say(EventKind::reset, "client aborts", c, 0).say(EventKind::note, "done");
  EXPECT_EQ(text(),
            "sequenceDiagram\n"
            "  participant h0 as client\n"
            "  participant h1 as app\n"
            "  h0-->>h1: 0 s #40;1#41; dials app#58;80\n"
            "  h0->>h1: 0 s #40;1#41; GET / HTTP/1.1 18 B\n"
            "  Note over h1: 10 s #40;1#41; read timed out\n"
            "  h0-xh1: 10 s #40;1#41; RST#58; client aborts\n"
            "  Note over h0,h1: 10 s done\n");
}

// For an eye, or a browser.
TEST_F(Diagram, WritesExamplesWhereTheEnvironmentSays) {
  const std::vector<std::pair<std::string, EventLog>> logs = {
      {"example", example_log()}, {"busy", busy_log(40)}, {"hostile", hostile_log()}};
  const char* const folder = std::getenv("PIPETTE_DIAGRAM_FOLDER");
  for (const auto& [name, log] : logs) {
    const std::string html = sequence_diagram(log, name);
    EXPECT_THAT(html, testing::EndsWith("</html>\n"));
    if (folder == nullptr) continue;
    std::ofstream(std::string(folder) + "/" + name + ".html", std::ios::binary) << html;
    std::ofstream(std::string(folder) + "/" + name + ".mmd", std::ios::binary) << mermaid(log);
  }
}

}  // namespace
}  // namespace pipette::lab
