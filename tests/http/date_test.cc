#include "pipette/http/date.h"

#include <gtest/gtest.h>
#include <string>

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
