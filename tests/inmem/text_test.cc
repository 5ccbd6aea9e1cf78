// The words that reports are made of.
#include "pipette/inmem/text.h"

#include <gtest/gtest.h>
#include <string>

namespace pipette::inmem {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;

TEST(Quote, EscapesWhatDoesNotPrint) {
  EXPECT_EQ(quote(""), R"("")");
  EXPECT_EQ(quote("plain text ~"), R"("plain text ~")");
  EXPECT_EQ(quote("a\r\nb\t\"c\"\\"), R"("a\r\nb\t\"c\"\\")");
  EXPECT_EQ(quote("\0\x01\x1f\x7f\x80\xff"s), R"("\x00\x01\x1f\x7f\x80\xff")");
}

TEST(Quote, CutsAfterSoManyOctets) {
  EXPECT_EQ(quote("abc", 3), R"("abc")");
  EXPECT_EQ(quote("abcd", 3), R"("abc"…)");
  EXPECT_EQ(quote(std::string(96, 'x')), "\"" + std::string(96, 'x') + "\"");
  EXPECT_EQ(quote(std::string(97, 'x')), "\"" + std::string(96, 'x') + "\"…");
}

TEST(Escape, LeavesQuotesAsTheyAre) {
  EXPECT_EQ(escape("a\r\nb\t\"c\"\\\xff"), R"(a\r\nb\x09"c"\\\xff)");
  EXPECT_EQ(escape(std::string(97, 'x')), std::string(97, 'x'));
  EXPECT_EQ(escape("abc", 3), "abc");
  EXPECT_EQ(escape("a\ncd", 3), "a\\nc…");
}

TEST(Escape, LeavesATextItsLetters) { EXPECT_EQ(escape_text("näh…\r\n\\ \x7f\0"s), "näh…\\r\\n\\ \\x7f\\x00"); }

TEST(Hex, HasTwoDigitsAnOctet) {
  EXPECT_EQ(hex(""), "");
  EXPECT_EQ(hex("\x0a\xff\0"s), "0aff00");
  EXPECT_EQ(hex("\x0a\xff", " "), "0a ff");
}

TEST(Counted, KnowsOneFromMany) {
  EXPECT_EQ(counted(0, "octet"), "0 octets");
  EXPECT_EQ(counted(1, "more octet"), "1 more octet");
  EXPECT_EQ(counted(UINT64_MAX, "octet"), "18446744073709551615 octets");
}

TEST(Indented, MovesEachLineAndEndsTheLast) {
  EXPECT_EQ(indented(""), "");
  EXPECT_EQ(indented("a"), "  a\n");
  EXPECT_EQ(indented("a\n\n b\n"), "  a\n  \n   b\n");
}

TEST(Column, LeavesRoomBehindWhatIsTooWide) {
  EXPECT_EQ(column("app", 6), "app   ");
  EXPECT_EQ(column("", 2), "  ");
  EXPECT_EQ(column("a long name", 6), "a long name  ");
}

TEST(FormatTime, CountsSecondsAndNanoseconds) {
  EXPECT_EQ(format_time(TimePoint(0ns)), "+0.000000000");
  EXPECT_EQ(format_time(TimePoint(1ns)), "+0.000000001");
  EXPECT_EQ(format_time(TimePoint(10s - 1ns)), "+9.999999999");
  EXPECT_EQ(format_time(TimePoint(24h + 50ms)), "+86400.050000000");
}

TEST(Durations, AreTextInThreeWays) {
  struct Row {
    Duration duration;
    const char* exact;
    const char* rough;
    const char* compact;
  };
  for (const Row& row : {
           Row{0ns, "0 s", "0 s", "0ns"},
           Row{1ns, "1 ns", "1 ns", "1ns"},
           Row{1500ns, "1.5 us", "1.5 us", "1500ns"},
           Row{250us, "250 us", "250 us", "250us"},
           Row{50ms, "50 ms", "50 ms", "50ms"},
           Row{50ms + 1us, "50.001 ms", "50 ms", "50001us"},
           Row{999999999ns, "999.999999 ms", "999.9 ms", "999999999ns"},
           Row{1s, "1 s", "1 s", "1s"},
           Row{1s + 1ns, "1.000000001 s", "1 s", "1000000001ns"},
           Row{90s, "90 s", "1.5 min", "90s"},
           Row{90min, "5400 s", "1.5 h", "5400s"},
           Row{36h, "129600 s", "1.5 d", "129600s"},
           Row{-1500ms, "-1.5 s", "-1.5 s", "-1500ms"},
           Row{Duration::min(), "-9223372036.854775808 s", "-106751.9 d", "-9223372036854775808ns"},
           Row{Duration::max(), "9223372036.854775807 s", "106751.9 d", "9223372036854775807ns"},
       }) {
    EXPECT_EQ(exact_text(row.duration), row.exact);
    EXPECT_EQ(rough_text(row.duration), row.rough) << row.exact;
    EXPECT_EQ(compact_text(row.duration), row.compact) << row.exact;
  }
}

}  // namespace
}  // namespace pipette::inmem
