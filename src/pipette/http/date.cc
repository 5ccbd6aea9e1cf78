#include "pipette/http/date.h"

#include <algorithm>

namespace pipette::http {
namespace {

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";

char* put(char* at, std::string_view text) { return std::ranges::copy(text, at).out; }

char* put_two_digits(char* at, unsigned value) {
  *at++ = static_cast<char>('0' + value / 10 % 10);
  *at++ = static_cast<char>('0' + value % 10);
  return at;
}

}  // namespace

std::array<char, kDateBytes> format_date(WallTime time) {
  namespace chrono = std::chrono;
  const auto days = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(days);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(time - days));
  const auto year = static_cast<unsigned>(std::clamp(static_cast<int>(date.year()), 0, 9999));

  std::array<char, kDateBytes> text;
  char* at = put(text.data(), kDays.substr(chrono::weekday(days).c_encoding() * 3, 3));
  at = put_two_digits(put(at, ", "), static_cast<unsigned>(date.day()));
  at = put(put(at, " "), kMonths.substr((static_cast<unsigned>(date.month()) - 1) * 3, 3));
  at = put_two_digits(put_two_digits(put(at, " "), year / 100), year % 100);
  at = put_two_digits(put(at, " "), static_cast<unsigned>(clock.hours().count()));
  at = put_two_digits(put(at, ":"), static_cast<unsigned>(clock.minutes().count()));
  at = put_two_digits(put(at, ":"), static_cast<unsigned>(clock.seconds().count()));
  put(at, " GMT");
  return text;
}

void DateLine::update(WallTime now) {
  from_ = std::chrono::floor<std::chrono::seconds>(now);
  to_ = from_ + std::chrono::seconds(1);
  const std::array<char, kDateBytes> date = format_date(now);
  char* at = put(line_.data(), "Date: ");
  at = put(at, {date.data(), date.size()});
  put(at, "\r\n");
}

}  // namespace pipette::http
