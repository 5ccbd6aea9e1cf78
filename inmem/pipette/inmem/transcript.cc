#include "pipette/inmem/transcript.h"

#include <array>
#include <cstdio>

namespace pipette::inmem {

void Transcript::add(TimePoint now, std::string_view what) {
  if (!is_recording_) return;
  std::string& line = lines_.emplace_back(format_time(now));
  line += "  ";
  line += what;
}

void Transcript::add_bytes(TimePoint now, std::string_view from_to, Bytes bytes) {
  if (!is_recording_) return;
  std::string what(from_to);
  what += "  " + std::to_string(bytes.size()) + " B  " + quote(bytes);
  add(now, what);
}

std::string Transcript::text() const {
  std::string text;
  for (const std::string& line : lines_) text += line + "\n";
  return text;
}

std::string Transcript::tail(std::size_t count) const {
  std::string text;
  const std::size_t first = lines_.size() > count ? lines_.size() - count : 0;
  if (first > 0) text += "  … " + std::to_string(first) + " earlier events\n";
  for (std::size_t i = first; i < lines_.size(); ++i) text += "  " + lines_[i] + "\n";
  return text;
}

std::string format_time(TimePoint now) {
  const long long nanoseconds = now.time_since_epoch().count();
  std::array<char, 40> text{};
  std::snprintf(text.data(), text.size(), "+%lld.%09lld", nanoseconds / 1'000'000'000, nanoseconds % 1'000'000'000);
  return text.data();
}

std::string quote(Bytes bytes, std::size_t max_shown) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = "\"";
  for (const char c : bytes.substr(0, max_shown)) {
    const auto octet = static_cast<unsigned char>(c);
    switch (c) {
      case '\r':
        text += "\\r";
        break;
      case '\n':
        text += "\\n";
        break;
      case '\t':
        text += "\\t";
        break;
      case '"':
        text += "\\\"";
        break;
      case '\\':
        text += "\\\\";
        break;
      default:
        if (octet >= 0x20 && octet < 0x7f) {
          text += c;
        } else {
          text += "\\x";
          text += kHex[octet >> 4];
          text += kHex[octet & 15];
        }
    }
  }
  text += bytes.size() > max_shown ? "\"…" : "\"";
  return text;
}

}  // namespace pipette::inmem
