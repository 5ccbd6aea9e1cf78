#include "conformance/octets.h"

#include <cstdint>
#include <optional>

#include "conformance/text.h"

namespace pipette::conformance {
namespace {

constexpr std::size_t kShortestRun = 16;
constexpr std::uint64_t kMostRepeats = 1'000'000;

struct Escape {
  char letter;
  char octet;
};
constexpr Escape kEscapes[] = {{'r', '\r'},  {'n', '\n'}, {'t', '\t'}, {'0', '\0'},
                               {'\\', '\\'}, {'"', '"'},  {'{', '{'}};

using Decoded = std::expected<std::string, std::string>;

std::unexpected<std::string> wrong(std::string what) { return std::unexpected(std::move(what)); }

// Takes one escape from the front of `text`, behind its backslash.
std::expected<char, std::string> take_escape(std::string_view& text) {
  if (text.empty()) return wrong("a backslash at the end");
  const char letter = text.front();
  text.remove_prefix(1);
  if (letter == 'x') {
    const auto octet = parse_number(text.substr(0, 2), 16);
    if (!octet || text.size() < 2) return wrong("\\x without two hex digits");
    text.remove_prefix(2);
    return static_cast<char>(*octet);
  }
  for (const Escape& escape : kEscapes) {
    if (escape.letter == letter) return escape.octet;
  }
  return wrong(std::string("no such escape: \\") + letter);
}

// Takes "text*count}" from the front, behind the brace.
Decoded take_repeat(std::string_view& text) {
  const std::size_t end = text.find('}');
  const std::size_t star = text.rfind('*', end);
  if (end == std::string_view::npos || star == std::string_view::npos || star == 0) {
    return wrong("a brace is \\{, or begins a repeat: {a*9000}");
  }
  const auto count = parse_number(text.substr(star + 1, end - star - 1));
  if (!count || *count > kMostRepeats) return wrong("a repeat without a count, or with too large a one");
  const Decoded once = decode(text.substr(0, star));
  if (!once) return once;
  text.remove_prefix(end + 1);
  std::string octets;
  for (std::uint64_t i = 0; i < *count; ++i) octets += *once;
  return octets;
}

std::string quote_one(char octet) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const Escape& escape : kEscapes) {
    if (escape.octet == octet) return std::string("\\") + escape.letter;
  }
  if (octet >= ' ' && octet <= '~') return std::string(1, octet);
  const auto value = static_cast<unsigned char>(octet);
  return {'\\', 'x', kDigits[value >> 4], kDigits[value & 15]};
}

}  // namespace

Decoded decode(std::string_view notation) {
  std::string octets;
  while (!notation.empty()) {
    const char c = notation.front();
    notation.remove_prefix(1);
    if (c == '\\') {
      const auto octet = take_escape(notation);
      if (!octet) return wrong(octet.error());
      octets += *octet;
    } else if (c == '{') {
      const Decoded repeated = take_repeat(notation);
      if (!repeated) return repeated;
      octets += *repeated;
    } else if (c < ' ' || c > '~') {
      return wrong("an octet that is not printable ASCII: write \\xNN");
    } else {
      octets += c;
    }
  }
  return octets;
}

std::string quote(std::string_view octets) {
  std::string text = "\"";
  while (!octets.empty()) {
    const std::size_t run = std::min(octets.find_first_not_of(octets.front()), octets.size());
    const std::string one = quote_one(octets.front());
    if (run >= kShortestRun) {
      text += "{" + one + "*" + std::to_string(run) + "}";
    } else {
      for (std::size_t i = 0; i < run; ++i) text += one;
    }
    octets.remove_prefix(run);
  }
  return text + "\"";
}

}  // namespace pipette::conformance
