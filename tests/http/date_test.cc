#include "pipette/http/date.h"

#include <gtest/gtest.h>
#include <string>

#include "tests/support/printers.h"
#include "tests/support/splits.h"

namespace pipette::http {
namespace {

using namespace std::chrono_literals;

WallTime at(std::int64_t unix_seconds) { return WallTime(std::chrono::seconds(unix_seconds)); }

std::string date_of(WallTime time) {
  const auto date = format_date(time);
  return {date.data(), date.size()};
}

TEST(Date, IsAnImfFixdate) {
  constexpr std::pair<std::int64_t, std::string_view> kDates[] = {
      {0, "Thu, 01 Jan 1970 00:00:00 GMT"},
      {784111777, "Sun, 06 Nov 1994 08:49:37 GMT"},  // the example of RFC 9110 §5.6.7
      {951782400, "Tue, 29 Feb 2000 00:00:00 GMT"},  // a leap year, though a century
      {951868800, "Wed, 01 Mar 2000 00:00:00 GMT"},
      {1709164800, "Thu, 29 Feb 2024 00:00:00 GMT"},
      {1709251199, "Thu, 29 Feb 2024 23:59:59 GMT"},
      {1709251200, "Fri, 01 Mar 2024 00:00:00 GMT"},
      {4107456000, "Sun, 28 Feb 2100 00:00:00 GMT"},  // no leap year
      {4107542400, "Mon, 01 Mar 2100 00:00:00 GMT"},
      {1767225599, "Wed, 31 Dec 2025 23:59:59 GMT"},
      {1767225600, "Thu, 01 Jan 2026 00:00:00 GMT"},
      {2147483648, "Tue, 19 Jan 2038 03:14:08 GMT"},
      {-1, "Wed, 31 Dec 1969 23:59:59 GMT"},
  };
  for (const auto& [seconds, text] : kDates) EXPECT_EQ(date_of(at(seconds)), text) << seconds;
}

TEST(Date, NamesEveryMonthAndDay) {
  constexpr std::string_view kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                          "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (unsigned month = 1; month <= 12; ++month) {
    const WallTime time = std::chrono::sys_days(std::chrono::year(2026) / static_cast<int>(month) / 1);
    EXPECT_EQ(date_of(time).substr(8, 3), kMonths[month - 1]);
  }
  constexpr std::string_view kDays[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  const WallTime sunday = std::chrono::sys_days(std::chrono::year(2026) / 11 / 22);
  for (unsigned day = 0; day < 7; ++day) EXPECT_EQ(date_of(sunday + day * 24h).substr(0, 3), kDays[day]);
}

TEST(Date, CutsOffPartsOfASecond) {
  EXPECT_EQ(date_of(at(784111777) + 999'999'999ns), date_of(at(784111777)));
  EXPECT_EQ(date_of(at(0) - 1ns), "Wed, 31 Dec 1969 23:59:59 GMT");
}

TEST(Date, IsWrittenBehindWhatIsThere) {
  std::string out = "Date: ";
  write_date(at(784111777), out);
  EXPECT_EQ(out, "Date: Sun, 06 Nov 1994 08:49:37 GMT");
}

TEST(Date, IsWrittenAtTheEndsOfTime) {
  EXPECT_EQ(date_of(WallTime::min()), "Tue, 21 Sep 1677 00:12:43 GMT");
  EXPECT_EQ(date_of(WallTime::max()), "Fri, 11 Apr 2262 23:47:16 GMT");
}

// ---- reading ---------------------------------------------------------------------------------------------

constexpr WallTime kNow(std::chrono::seconds(1'800'000'000));  // 15 Jan 2027 08:00:00

Result<WallTime> parse(std::string_view text, WallTime now = kNow) {
  const test::ExactBlock block(text);
  return parse_date(block.octets(), now);
}

TEST(ParseDate, ReadsTheThreeForms) {
  EXPECT_EQ(parse("Sun, 06 Nov 1994 08:49:37 GMT"), at(784111777));
  EXPECT_EQ(parse("Sunday, 06-Nov-94 08:49:37 GMT"), at(784111777));
  EXPECT_EQ(parse("Sun Nov  6 08:49:37 1994"), at(784111777));
  EXPECT_EQ(parse("Sun Nov 06 08:49:37 1994"), at(784111777));
  EXPECT_EQ(parse("Wed Nov 16 08:49:37 1994"), at(784111777 + 10 * 86400));
}

// A calendar of our own, stepped day by day.
struct Calendar {
  unsigned year = 1900, month = 1, day = 1;
  unsigned weekday = 1;                  // 1 January 1900 was a Monday
  std::int64_t seconds = -2208988800LL;  // of its midnight

  unsigned days_of_month() const {
    if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
    return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
  }
  void step() {
    seconds += 86400;
    weekday = (weekday + 1) % 7;
    if (++day <= days_of_month()) return;
    day = 1;
    if (++month <= 12) return;
    month = 1;
    ++year;
  }
};

TEST(ParseDate, KnowsEveryDayOfTwoCenturies) {
  constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
  constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto print = [](const char* format, auto... arguments) {
    char text[64];
    const int size = std::snprintf(text, sizeof text, format, arguments...);
    return std::string(text, static_cast<std::size_t>(size));
  };
  for (Calendar date; date.year <= 2100; date.step()) {
    const char* const weekday = kDays[date.weekday];
    const char* const month = kMonths[date.month - 1];
    const WallTime expected = at(date.seconds + 3723);
    const std::string fixdate = print("%.3s, %02u %s %u 01:02:03 GMT", weekday, date.day, month, date.year);
    ASSERT_EQ(parse_date(fixdate, kNow), expected) << fixdate;
    ASSERT_EQ(date_of(expected), fixdate);
    const std::string asctime = print("%.3s %s %2u 01:02:03 %u", weekday, month, date.day, date.year);
    ASSERT_EQ(parse_date(asctime, kNow), expected) << asctime;
    const std::string rfc850 = print("%s, %02u-%s-%02u 01:02:03 GMT", weekday, date.day, month, date.year % 100);
    ASSERT_EQ(parse_date(rfc850, expected), expected) << rfc850;
    for (unsigned wrong = 1; wrong < 7; ++wrong) {
      std::string other = fixdate;
      other.replace(0, 3, kDays[(date.weekday + wrong) % 7], 3);
      ASSERT_FALSE(parse_date(other, kNow)) << other;
    }
  }
}

TEST(ParseDate, ChoosesTheCenturyOfATwoDigitYear) {
  struct Row {
    std::string_view text;
    WallTime now;
    std::string_view date;
  };
  const auto day = [](int year, unsigned month, unsigned of_month) -> WallTime {
    return std::chrono::sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(of_month));
  };
  const Row rows[] = {
      {"Sunday, 06-Nov-94 08:49:37 GMT", day(2026, 1, 1), "Sun, 06 Nov 1994 08:49:37 GMT"},
      {"Wednesday, 01-Jan-76 00:00:00 GMT", day(2026, 1, 1), "Wed, 01 Jan 2076 00:00:00 GMT"},  // 50 years: not more
      {"Thursday, 01-Jan-76 00:00:01 GMT", day(2026, 1, 1), "Thu, 01 Jan 1976 00:00:01 GMT"},
      {"Thursday, 01-Jan-76 00:00:00 GMT", day(2025, 12, 31), "Thu, 01 Jan 1976 00:00:00 GMT"},
      {"Wednesday, 01-Jan-20 00:00:00 GMT", day(2026, 1, 1), "Wed, 01 Jan 2020 00:00:00 GMT"},
      {"Wednesday, 01-Jan-10 00:00:00 GMT", day(2090, 1, 1), "Wed, 01 Jan 2110 00:00:00 GMT"},
      {"Friday, 31-Dec-99 00:00:00 GMT", day(2000, 1, 1), "Fri, 31 Dec 1999 00:00:00 GMT"},
      {"Saturday, 01-Jan-00 00:00:00 GMT", day(1999, 12, 31), "Sat, 01 Jan 2000 00:00:00 GMT"},
      {"Tuesday, 29-Feb-00 00:00:00 GMT", day(2026, 1, 1), "Tue, 29 Feb 2000 00:00:00 GMT"},
  };
  for (const Row& row : rows) {
    const Result<WallTime> date = parse(row.text, row.now);
    ASSERT_TRUE(date) << row.text;
    EXPECT_EQ(date_of(*date), row.date) << row.text;
  }
}

TEST(ParseDate, TakesALeapSecondForTheNext) {
  EXPECT_EQ(parse("Sat, 31 Dec 2016 23:59:60 GMT"), at(1483228800));
  EXPECT_EQ(parse("Sat Dec 31 23:59:60 2016"), at(1483228800));
  EXPECT_FALSE(parse("Sat, 31 Dec 2016 23:58:60 GMT"));
  EXPECT_FALSE(parse("Sat, 31 Dec 2016 22:59:60 GMT"));
  EXPECT_FALSE(parse("Sat, 31 Dec 2016 23:59:61 GMT"));
}

TEST(ParseDate, RefusesDaysThatNeverWere) {
  // Whatever weekday they are given.
  for (const std::string_view weekday : {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"}) {
    for (const std::string_view day : {"31 Feb 2024", "30 Feb 2024", "29 Feb 2023", "29 Feb 2100", "31 Apr 2024",
                                       "00 Jan 2024", "32 Jan 2024", "99 Dec 2024"}) {
      const std::string text = std::string(weekday) + ", " + std::string(day) + " 00:00:00 GMT";
      EXPECT_EQ(parse(text).error(), Errc::bad_date) << text;
    }
  }
}

TEST(ParseDate, RefusesEveryOtherOctetInEachPlace) {
  for (const std::string_view text : {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT",
                                      "Sun Nov  6 08:49:37 1994", "Sun Nov 06 08:49:37 1994"}) {
    for (std::size_t place = 0; place < text.size(); ++place) {
      for (int octet = 0; octet < 256; ++octet) {
        std::string other(text);
        other[place] = static_cast<char>(octet);
        const bool is_digit = octet >= '0' && octet <= '9';
        const bool may_differ = is_digit && text[place] >= '0' && text[place] <= '9';
        const bool is_padding = text[3] == ' ' && place == 8 && (octet == ' ' || octet == '0');
        if (other == text || may_differ || is_padding) continue;
        EXPECT_FALSE(parse(other)) << other;
      }
    }
  }
}

TEST(ParseDate, RefusesOtherFormsAndSizes) {
  for (const std::string_view text : {"",
                                      "0",
                                      "-1",
                                      "Sun",
                                      "Sun, 06 Nov 1994 08:49:37",
                                      "Sun, 06 Nov 1994 08:49:37 UTC",
                                      "Sun, 06 Nov 1994 08:49:37 GMT ",
                                      " Sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 6 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 94 08:49:37 GMT",
                                      "sun, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 gmt",
                                      "Sun, 06 Nov 1994 24:00:00 GMT",
                                      "Sun, 06 Nov 1994 08:60:00 GMT",
                                      "Sun, 06 Nov 1994 8:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49 GMT",
                                      "1994-11-06T08:49:37Z",
                                      "784111777",
                                      "Sun, 06-Nov-94 08:49:37 GMT",
                                      "Sunday, 06-Nov-1994 08:49:37 GMT",
                                      "Sunday 06-Nov-94 08:49:37 GMT",
                                      ",",
                                      "Sun Nov 6 08:49:37 1994",
                                      "Sun Nov  6 08:49:37 94",
                                      "Sunday, 06 Nov 1994 08:49:37 GMT",
                                      "Sun, 06 Nov 1994 08:49:37 +0000",
                                      "Moonday, 06-Nov-94 08:49:37 GMT"}) {
    EXPECT_EQ(parse(text).error(), Errc::bad_date) << text;
  }
}

TEST(ParseDate, IsHeldWithinWallTime) {
  const Result<WallTime> first = parse("Sat, 01 Jan 0000 00:00:00 GMT");
  const Result<WallTime> last = parse("Fri, 31 Dec 9999 23:59:59 GMT");
  ASSERT_TRUE(first && last);
  EXPECT_EQ(date_of(*first), "Tue, 21 Sep 1677 00:12:44 GMT");
  EXPECT_EQ(date_of(*last), "Fri, 11 Apr 2262 23:47:16 GMT");
}

// ---- DateLine --------------------------------------------------------------------------------------------

TEST(DateLine, IsTheWholeFieldLine) {
  DateLine line;
  EXPECT_EQ(line.at(at(784111777)), "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n");
}

TEST(DateLine, FollowsTheClockInBothDirections) {
  DateLine line;
  for (const std::int64_t seconds : {0, 1, 1, 59, 60, 3600, 3599, 0}) {
    for (const Duration part : {Duration(0), Duration(999'999'999)}) {
      EXPECT_EQ(line.at(at(seconds) + part), "Date: " + date_of(at(seconds)) + "\r\n") << seconds;
    }
  }
}

}  // namespace
}  // namespace pipette::http
