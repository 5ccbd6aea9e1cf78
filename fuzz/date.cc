// Dates: what is accepted is what the C library would write for that moment, and what the C library writes is accepted.
#include "pipette/http/date.h"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <string>

#include "pipette/http/set_cookie.h"

#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

constexpr const char* kDays[] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
constexpr const char* kMonths[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::time_t kFirst = -9'223'372'036;  // what WallTime holds, in whole seconds
constexpr std::time_t kLast = 9'223'372'036;

template <class... Arguments>
std::string print(const char* format, Arguments... arguments) {
  char text[64];
  std::snprintf(text, sizeof text, format, arguments...);
  return text;
}

struct Texts {
  std::string fixdate, asctime, padded_asctime, rfc850;
};

Texts texts_of(std::time_t seconds) {
  std::tm tm{};
  gmtime_r(&seconds, &tm);
  const char* const day = kDays[tm.tm_wday];
  const char* const month = kMonths[tm.tm_mon];
  const std::string clock = print("%02d:%02d:%02d", tm.tm_hour, tm.tm_min, tm.tm_sec);
  const int year = tm.tm_year + 1900;
  return {
      .fixdate = print("%.3s, %02d %s %04d %s GMT", day, tm.tm_mday, month, year, clock.c_str()),
      .asctime = print("%.3s %s %2d %s %04d", day, month, tm.tm_mday, clock.c_str(), year),
      .padded_asctime = print("%.3s %s %02d %s %04d", day, month, tm.tm_mday, clock.c_str(), year),
      .rfc850 = print("%s, %02d-%s-%02d %s GMT", day, tm.tm_mday, month, year % 100, clock.c_str()),
  };
}

WallTime at(std::time_t seconds) { return WallTime(std::chrono::seconds(seconds)); }
std::time_t seconds_of(WallTime time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}

void require_written(std::time_t seconds) {
  const Texts texts = texts_of(seconds);
  std::string written;
  http::write_date(at(seconds), written);
  require(written == texts.fixdate);
  for (const std::string& text : {texts.fixdate, texts.asctime, texts.padded_asctime, texts.rfc850}) {
    const test::ExactBlock block(text);
    require(http::parse_date(block.octets(), at(seconds)) == at(seconds));
  }
  require(http::parse_cookie_date(texts.fixdate) == at(seconds));
  require(http::parse_cookie_date(texts.asctime) == at(seconds));
}

void require_sound(std::string_view text, WallTime now) {
  const test::ExactBlock block(text);
  (void)http::parse_cookie_date(block.octets());
  const Result<WallTime> date = http::parse_date(block.octets(), now);
  if (!date) {
    require(date.error() == Errc::bad_date);
    return;
  }
  const std::time_t seconds = seconds_of(*date);
  if (seconds == kFirst || seconds == kLast) return;
  if (text.contains("23:59:60")) return require_written(seconds);
  const Texts texts = texts_of(seconds);
  require(text == texts.fixdate || text == texts.asctime || text == texts.padded_asctime || text == texts.rfc850);
}

void run(std::string_view octets) {
  std::int64_t seconds = 0;
  if (octets.size() >= sizeof seconds) std::memcpy(&seconds, octets.data(), sizeof seconds);
  seconds %= kLast - 86400 * 366;
  require_written(seconds);
  require_sound(octets, at(1'800'000'000));
  if (octets.size() >= sizeof seconds) require_sound(octets.substr(sizeof seconds), at(seconds));
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
