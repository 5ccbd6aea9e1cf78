#include "pipette/server/access_log.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <utility>

#include "pipette/base/digits.h"
#include "pipette/http/date.h"

namespace pipette::server {
namespace {

namespace chrono = std::chrono;

bool is_printable(char32_t c) { return c >= 0x20 && c < 0x7f; }
bool needs_backslash(char32_t c) { return c == '"' || c == '\\'; }

bool has_request_line(const AccessRecord& record) { return !record.method.empty() || !record.target.empty(); }

std::string_view protocol(const AccessRecord& record) { return record.is_http_1_0 ? "HTTP/1.0" : "HTTP/1.1"; }

// ---- the common formats ----------------------------------------------------------------------------------

void append_escaped(std::string_view text, std::string& out) {
  if (text.empty()) out += '-';
  for (const char c : text) {
    const auto octet = static_cast<std::uint8_t>(c);
    if (is_printable(octet) && !needs_backslash(octet)) {
      out += c;
    } else {
      out.append("\\x").append({"0123456789ABCDEF"[octet >> 4], "0123456789ABCDEF"[octet & 0xf]});
    }
  }
}

void append_quoted(std::string_view text, std::string& out) {
  out += '"';
  append_escaped(text, out);
  out += '"';
}

// "22/Nov/2026:17:00:00 +0000", of "Sun, 22 Nov 2026 17:00:00 GMT".
void append_common_time(WallTime time, std::string& out) {
  const auto date = http::format_date(time);
  const std::string_view text(date.data(), date.size());
  out.append(text.substr(5, 2)).append("/").append(text.substr(8, 3)).append("/").append(text.substr(12, 4));
  out.append(":").append(text.substr(17, 8)).append(" +0000");
}

void append_request_line(const AccessRecord& record, std::string& out) {
  if (!has_request_line(record)) return append_quoted("", out);
  out += '"';
  append_escaped(record.method, out);
  out += ' ';
  append_escaped(record.target, out);
  out.append(" ").append(protocol(record)).append("\"");
}

// ---- JSON ------------------------------------------------------------------------------------------------

struct CodePoint {
  char32_t value;
  std::size_t size;  // in octets
};

// The first one of `text`, which is not empty. What is not UTF-8 is a replacement character for an octet each.
CodePoint first_code_point(std::string_view text) {
  constexpr CodePoint kReplacement{0xfffd, 1};
  constexpr std::array<char32_t, 5> kLeast = {0, 0, 0x80, 0x800, 0x10000};  // of that size: no other is as short
  const auto octet = [text](std::size_t at) { return static_cast<std::uint8_t>(text[at]); };
  if (octet(0) < 0x80) return {octet(0), 1};
  const std::size_t size = octet(0) < 0xe0 ? 2 : octet(0) < 0xf0 ? 3 : 4;
  if (octet(0) < 0xc0 || octet(0) >= 0xf8 || text.size() < size) return kReplacement;
  char32_t value = octet(0) & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((octet(i) & 0xc0) != 0x80) return kReplacement;
    value = value << 6 | (octet(i) & 0x3f);
  }
  const bool is_surrogate = value >= 0xd800 && value < 0xe000;
  if (value < kLeast[size] || value > 0x10ffff || is_surrogate) return kReplacement;
  return {value, size};
}

void append_unit(char32_t unit, std::string& out) {
  out += "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += "0123456789abcdef"[unit >> shift & 0xf];
}

void append_string(std::string_view text, std::string& out) {
  out += '"';
  while (!text.empty()) {
    const CodePoint c = first_code_point(text);
    text.remove_prefix(c.size);
    if (is_printable(c.value)) {
      if (needs_backslash(c.value)) out += '\\';
      out += static_cast<char>(c.value);
    } else if (c.value < 0x10000) {
      append_unit(c.value, out);
    } else {
      append_unit(0xd7c0 + (c.value >> 10), out);
      append_unit(0xdc00 + (c.value & 0x3ff), out);
    }
  }
  out += '"';
}

// With leading zeros, if it has fewer digits; `value` is not negative.
std::string padded(std::int64_t value, std::size_t digits) {
  const std::string text = std::to_string(value);
  return std::string(digits - std::min(digits, text.size()), '0') + text;
}

// "2026-11-22T17:00:00.000000Z"
std::string rfc3339(WallTime time) {
  const auto day = chrono::floor<chrono::days>(time);
  const chrono::year_month_day date(day);
  const chrono::hh_mm_ss clock(chrono::floor<chrono::microseconds>(time - day));
  std::string text = padded(int(date.year()), 4);
  text.append("-").append(padded(unsigned(date.month()), 2)).append("-").append(padded(unsigned(date.day()), 2));
  text.append("T").append(padded(clock.hours().count(), 2));
  text.append(":").append(padded(clock.minutes().count(), 2));
  text.append(":").append(padded(clock.seconds().count(), 2));
  return text.append(".").append(padded(clock.subseconds().count(), 6)).append("Z");
}

std::string seconds(Duration duration) {
  constexpr std::int64_t kSecond = 1'000'000;
  const std::int64_t micros = std::max(duration, Duration()) / chrono::microseconds(1);
  return std::to_string(micros / kSecond) + "." + padded(micros % kSecond, 6);
}

// A line of JSON in the making.
class Object {
 public:
  void add_string(std::string_view name, std::string_view value) {
    add_name(name);
    append_string(value, text_);
  }
  // `digits` is a number already.
  void add_number(std::string_view name, std::string_view digits) {
    add_name(name);
    text_ += digits;
  }
  void add_number(std::string_view name, std::uint64_t value) {
    add_name(name);
    append_decimal(text_, value);
  }
  std::string finish() && { return std::move(text_ += '}'); }

 private:
  void add_name(std::string_view name) {
    text_ += text_.empty() ? "{\"" : ",\"";
    text_.append(name).append("\":");
  }

  std::string text_;
};

}  // namespace

std::string to_common_log(const AccessRecord& record) {
  std::string line;
  append_escaped(record.remote.ip_text(), line);
  line += " - - [";
  append_common_time(record.time, line);
  line += "] ";
  append_request_line(record, line);
  line.append(" ").append(std::to_string(record.status)).append(" ");
  line += record.response_body_bytes == 0 ? "-" : std::to_string(record.response_body_bytes);
  return line;
}

std::string to_combined_log(const AccessRecord& record) {
  std::string line = to_common_log(record);
  append_quoted(record.referer, line += ' ');
  append_quoted(record.user_agent, line += ' ');
  return line;
}

std::string to_json_log(const AccessRecord& record) {
  Object line;
  line.add_string("time", rfc3339(record.time));
  line.add_number("connection_id", record.connection_id);
  line.add_number("request_number", record.request_number);
  line.add_string("remote", record.remote.to_string());
  line.add_string("method", record.method);
  line.add_string("target", record.target);
  line.add_string("protocol", has_request_line(record) ? protocol(record) : "");
  line.add_number("status", std::to_string(record.status));
  line.add_number("response_body_bytes", record.response_body_bytes);
  line.add_number("took_seconds", seconds(record.took));
  line.add_string("referer", record.referer);
  line.add_string("user_agent", record.user_agent);
  return std::move(line).finish();
}

}  // namespace pipette::server
