#include "pipette/inmem/text.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <span>

namespace pipette::inmem {
namespace {

// What is escaped by a letter, and the letters.
constexpr std::string_view kNamed = "\r\n\t\"\\";
constexpr std::string_view kNames = "rnt\"\\";

void append_hex(std::string& text, char c) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  const auto octet = static_cast<unsigned char>(c);
  text += kDigits[octet >> 4];
  text += kDigits[octet & 15];
}

enum class Beyond : std::uint8_t { escaped, kept };  // what is beyond ASCII

// Those of kNamed that are in `named` stand there by their names.
std::string escaped(Bytes octets, std::string_view named, Beyond beyond) {
  std::string text;
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    const bool is_kept = octet > 0x7f && beyond == Beyond::kept;
    if (named.contains(c)) {
      text += '\\';
      text += kNames[kNamed.find(c)];
    } else if (is_kept || (octet >= 0x20 && octet < 0x7f)) {
      text += c;
    } else {
      text += "\\x";
      append_hex(text, c);
    }
  }
  return text;
}

struct Unit {
  Duration length;
  std::string_view name;
};

constexpr std::array kUnits = {
    Unit{std::chrono::days(1), "d"},          Unit{std::chrono::hours(1), "h"},
    Unit{std::chrono::minutes(1), "min"},     Unit{std::chrono::seconds(1), "s"},
    Unit{std::chrono::milliseconds(1), "ms"}, Unit{std::chrono::microseconds(1), "us"},
    Unit{std::chrono::nanoseconds(1), "ns"},
};
constexpr std::span<const Unit> kUpToDays(kUnits);
constexpr std::span<const Unit> kUpToSeconds = kUpToDays.subspan(3);

// The largest of `units` that `size` fills; the smallest when it fills none.
const Unit& largest(std::span<const Unit> units, std::uint64_t size) {
  const auto fills = [size](const Unit& unit) { return size >= static_cast<std::uint64_t>(unit.length.count()); };
  const auto found = std::ranges::find_if(units, fills);
  return found == units.end() ? units.back() : *found;
}

// `size` in `unit`, with so many decimals of those that are not zero at the end.
std::string decimal(std::uint64_t size, const Unit& unit, std::size_t max_decimals) {
  const auto length = static_cast<std::uint64_t>(unit.length.count());
  std::string text = std::to_string(size / length);
  std::string decimals;
  for (std::uint64_t rest = size % length; rest > 0 && decimals.size() < max_decimals; rest = rest * 10 % length) {
    decimals += std::to_string(rest * 10 / length);
  }
  decimals.erase(decimals.find_last_not_of('0') + 1);
  if (!decimals.empty()) text += "." + decimals;
  return text.append(" ").append(unit.name);
}

std::string in_units(Duration duration, std::span<const Unit> units, std::size_t max_decimals) {
  if (duration == Duration(0)) return "0 s";
  const bool is_negative = duration < Duration(0);
  const auto count = static_cast<std::uint64_t>(duration.count());
  const std::uint64_t size = is_negative ? 0 - count : count;
  return (is_negative ? "-" : "") + decimal(size, largest(units, size), max_decimals);
}

}  // namespace

std::string quote(Bytes octets, std::size_t max_shown) {
  const std::string_view end = octets.size() > max_shown ? "\"…" : "\"";
  return ("\"" + escaped(octets.substr(0, max_shown), kNamed, Beyond::escaped)).append(end);
}

std::string escape(Bytes octets, std::size_t max_shown) {
  const std::string_view end = octets.size() > max_shown ? "…" : "";
  return escaped(octets.substr(0, max_shown), "\r\n\\", Beyond::escaped).append(end);
}

std::string escape_text(std::string_view text) { return escaped(text, "\r\n", Beyond::kept); }

std::string hex(Bytes octets, std::string_view between) {
  std::string text;
  for (const char c : octets) {
    if (!text.empty()) text += between;
    append_hex(text, c);
  }
  return text;
}

std::string counted(std::uint64_t count, std::string_view noun) {
  return std::to_string(count).append(" ").append(noun).append(count == 1 ? "" : "s");
}

std::string indented(std::string_view text) {
  std::string lines;
  for (const char c : text) {
    if (lines.empty() || lines.back() == '\n') lines += "  ";
    lines += c;
  }
  if (!lines.empty() && lines.back() != '\n') lines += '\n';
  return lines;
}

std::string column(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size() + 2), ' ');
  return text;
}

std::string format_time(TimePoint now) {
  const long long nanoseconds = now.time_since_epoch().count();
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "+%lld.%09lld", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
  return text.data();
}

std::string exact_text(Duration duration) { return in_units(duration, kUpToSeconds, SIZE_MAX); }

std::string rough_text(Duration duration) { return in_units(duration, kUpToDays, 1); }

std::string compact_text(Duration duration) {
  const auto divides = [duration](const Unit& unit) { return duration % unit.length == Duration(0); };
  const Unit& unit = duration == Duration(0) ? kUpToSeconds.back() : *std::ranges::find_if(kUpToSeconds, divides);
  return std::to_string(duration / unit.length).append(unit.name);
}

}  // namespace pipette::inmem
