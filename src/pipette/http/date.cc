// The form that everybody sends is recognised eight octets at a time; the other two, which hardly anybody does, are
// compared with a picture of them, octet by octet.

#include "pipette/http/date.h"

#include <algorithm>
#include <cstring>
#include <optional>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/civil_time.h"
#include "pipette/http/internal/word.h"

namespace pipette::http {
namespace {

namespace chrono = std::chrono;
using internal::CivilTime;
using internal::load_word;

constexpr std::string_view kDays = "SunMonTueWedThuFriSat";
constexpr std::array<std::string_view, 7> kLongDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                       "Thursday", "Friday", "Saturday"};

// ---- reading ---------------------------------------------------------------------------------------------

// In a picture of a form, "#" is a digit, "*" any octet, and the rest is itself.
struct WordPicture {
  std::uint64_t fixed = 0;
  std::uint64_t fixed_mask = 0;
  std::uint64_t digit_mask = 0;

  consteval explicit WordPicture(std::string_view picture) {
    for (std::size_t i = 0; i < 8; ++i) {
      const std::uint64_t octet = std::uint64_t{0xff} << (8 * i);
      if (picture[i] == '#') digit_mask |= octet;
      if (picture[i] != '#' && picture[i] != '*') fixed_mask |= octet;
    }
    fixed = internal::word_of(picture) & fixed_mask;
  }

  // 0 when `word` is as in the picture.
  constexpr std::uint64_t difference(std::uint64_t word) const {
    constexpr std::uint64_t kOnes = 0x0101010101010101;
    const std::uint64_t values = (word ^ kOnes * '0') & digit_mask;
    const std::uint64_t above_nine = (values & kOnes * 0x7f) + kOnes * (0x80 - 10);
    return ((word ^ fixed) & fixed_mask) | ((above_nine | values) & kOnes * 0x80);
  }
};

bool is_as_in(std::string_view text, std::string_view picture) {
  return std::ranges::equal(text, picture, [](char c, char wanted) {
    return wanted == '*' || (wanted == '#' ? ascii::is_digit(c) : c == wanted);
  });
}

unsigned digit(char c) { return static_cast<unsigned>(c - '0'); }
unsigned two_digits(const char* at) { return digit(at[0]) * 10 + digit(at[1]); }
unsigned four_digits(const char* at) { return two_digits(at) * 100 + two_digits(at + 2); }
unsigned month_at(const char* at) { return internal::month_of(internal::month_word({at, 3})); }

// "08:49:37"
void take_clock(CivilTime& time, const char* at) {
  time.hour = two_digits(at);
  time.minute = two_digits(at + 3);
  time.second = two_digits(at + 6);
}

bool has_time_of_day(const CivilTime& time) {
  if (time.second == 60) return time.hour == 23 && time.minute == 59;
  return time.hour < 24 && time.minute < 60 && time.second < 60;
}

// The moment, when there was one at all, on a day which `is_weekday(0-6, Sunday first)`.
template <class IsWeekday>
Result<WallTime> moment_of(const CivilTime& time, IsWeekday is_weekday) {
  const std::optional<chrono::sys_days> date = time.date();
  if (!date || !has_time_of_day(time) || !is_weekday(chrono::weekday(*date).c_encoding())) return fail(Errc::bad_date);
  return internal::to_wall_time(*date + time.time_of_day());
}

auto begins(std::string_view text) {
  return [text](unsigned weekday) { return std::memcmp(text.data(), kDays.data() + 3 * std::size_t{weekday}, 3) == 0; };
}

// "Sun, 06 Nov 1994 08:49:37 GMT"
Result<WallTime> parse_imf_fixdate(std::string_view text) {
  constexpr WordPicture kDay("***, ## ");
  constexpr WordPicture kMonthAndYear("*** ####");
  constexpr WordPicture kClock(" ##:##:#");
  constexpr WordPicture kEnd("#:## GMT");
  const char* at = text.data();
  const std::uint64_t month_and_year = load_word(at + 8);
  const std::uint64_t difference = kDay.difference(load_word(at)) | kMonthAndYear.difference(month_and_year) |
                                   kClock.difference(load_word(at + 16)) | kEnd.difference(load_word(at + 21));
  if (difference != 0) return fail(Errc::bad_date);

  CivilTime time;
  time.day = two_digits(at + 5);
  time.month = internal::month_of(static_cast<std::uint32_t>(month_and_year));
  time.year = four_digits(at + 12);
  take_clock(time, at + 17);
  return moment_of(time, begins(text));
}

// "Sun Nov  6 08:49:37 1994"
Result<WallTime> parse_asctime(std::string_view text) {
  const bool is_padded = text[8] == ' ';
  if (!is_as_in(text, is_padded ? "*** ***  # ##:##:## ####" : "*** *** ## ##:##:## ####")) return fail(Errc::bad_date);
  const char* at = text.data();
  CivilTime time;
  time.day = is_padded ? digit(at[9]) : two_digits(at + 8);
  time.month = month_at(at + 4);
  time.year = four_digits(at + 20);
  take_clock(time, at + 11);
  return moment_of(time, begins(text));
}

// Fifty years after `now`, by the calendar.
CivilTime fifty_years_after(WallTime now) {
  const auto day = chrono::floor<chrono::days>(chrono::floor<chrono::seconds>(now));
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::seconds>(now) - day);
  CivilTime time;
  time.year = static_cast<unsigned>(static_cast<int>(date.year())) + 50;
  time.month = static_cast<unsigned>(date.month());
  time.day = static_cast<unsigned>(date.day());
  time.hour = static_cast<unsigned>(clock.hours().count());
  time.minute = static_cast<unsigned>(clock.minutes().count());
  time.second = static_cast<unsigned>(clock.seconds().count());
  return time;
}

// Gives `time`, which has a year of two digits, its century.
void choose_century(CivilTime& time, WallTime now) {
  const CivilTime latest = fifty_years_after(now);
  time.year += latest.year / 100 * 100;
  if (time > latest) time.year -= 100;
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
Result<WallTime> parse_rfc850(std::string_view text, WallTime now) {
  const std::string_view name = text.substr(0, text.find(','));
  text.remove_prefix(name.size());
  if (!is_as_in(text, ", ##-***-## ##:##:## GMT")) return fail(Errc::bad_date);
  const char* at = text.data();
  CivilTime time;
  time.day = two_digits(at + 2);
  time.month = month_at(at + 5);
  time.year = two_digits(at + 9);
  take_clock(time, at + 12);
  choose_century(time, now);
  return moment_of(time, [name](unsigned weekday) { return name == kLongDays[weekday]; });
}

// ---- writing ---------------------------------------------------------------------------------------------

consteval std::array<char, 200> make_two_digits() {
  std::array<char, 200> digits{};
  for (std::size_t i = 0; i < 100; ++i) {
    digits[2 * i] = static_cast<char>('0' + i / 10);
    digits[2 * i + 1] = static_cast<char>('0' + i % 10);
  }
  return digits;
}

constexpr std::array<char, 200> kTwoDigits = make_two_digits();

void put_two_digits(char* at, unsigned value) { std::memcpy(at, kTwoDigits.data() + 2 * std::size_t{value}, 2); }

char* put(char* at, std::string_view text) { return std::ranges::copy(text, at).out; }

}  // namespace

Result<WallTime> parse_date(std::string_view text, WallTime now) {
  constexpr std::size_t kAsctimeBytes = 24;  // the third form always has more than kDateBytes
  if (text.size() == kDateBytes) return parse_imf_fixdate(text);
  if (text.size() == kAsctimeBytes) return parse_asctime(text);
  return parse_rfc850(text, now);
}

std::array<char, kDateBytes> format_date(WallTime time) {
  const auto seconds = chrono::floor<chrono::seconds>(time);
  const auto days = chrono::floor<chrono::days>(seconds);
  const chrono::year_month_day date(days);
  const auto of_day = static_cast<unsigned>((seconds - days).count());
  const auto year = static_cast<unsigned>(static_cast<int>(date.year()));

  std::array<char, kDateBytes> text;
  char* at = text.data();
  std::memcpy(at, "Sun, 06 Nov 1994 08:49:37 GMT", kDateBytes);
  std::memcpy(at, kDays.data() + std::size_t{3} * chrono::weekday(days).c_encoding(), 3);
  put_two_digits(at + 5, static_cast<unsigned>(date.day()));
  std::memcpy(at + 8,
              internal::kMonths.data() + 3 * (static_cast<std::size_t>(static_cast<unsigned>(date.month())) - 1), 3);
  put_two_digits(at + 12, year / 100);
  put_two_digits(at + 14, year % 100);
  put_two_digits(at + 17, of_day / 3600);
  put_two_digits(at + 20, of_day / 60 % 60);
  put_two_digits(at + 23, of_day % 60);
  return text;
}

void write_date(WallTime time, std::string& out) {
  const std::array<char, kDateBytes> date = format_date(time);
  out.append(date.data(), date.size());
}

void DateLine::update(WallTime now) {
  from_ = chrono::floor<chrono::seconds>(now);
  to_ = from_ + chrono::seconds(1);
  const std::array<char, kDateBytes> date = format_date(now);
  char* at = put(line_.data(), "Date: ");
  at = put(at, {date.data(), date.size()});
  put(at, "\r\n");
}

}  // namespace pipette::http
