// Each octet becomes one to five; a block of text gets room for the most and gives back what it did not use.

#include "pipette/http/escape.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pipette::http {
namespace {

constexpr std::size_t kBlockBytes = 256;
constexpr std::size_t kLongest = 5;

struct Escape {
  std::array<char, 7> text{};  // all eight octets of an entry are copied at once
  std::uint8_t size = 0;
};
static_assert(sizeof(Escape) == 8);

consteval std::array<Escape, 256> make_escapes() {
  std::array<Escape, 256> escapes{};
  const auto set = [&escapes](std::uint8_t octet, std::string_view text) {
    escapes[octet] = {};
    std::ranges::copy(text, escapes[octet].text.begin());
    escapes[octet].size = static_cast<std::uint8_t>(text.size());
  };
  for (unsigned octet = 0; octet < 256; ++octet) {
    escapes[octet] = {{static_cast<char>(octet)}, 1};
  }
  set('&', "&amp;");
  set('<', "&lt;");
  set('>', "&gt;");
  set('"', "&#34;");
  set('\'', "&#39;");
  return escapes;
}

constexpr std::array<Escape, 256> kEscapes = make_escapes();

char* write_escaped(std::string_view text, char* to) {
  for (const char c : text) {
    const Escape& escape = kEscapes[static_cast<std::uint8_t>(c)];
    std::memcpy(to, &escape, sizeof escape);
    to += escape.size;
  }
  return to;
}

}  // namespace

void append_html_escaped(std::string_view text, std::string& out) {
  while (!text.empty()) {
    const std::string_view block = text.substr(0, kBlockBytes);
    const std::size_t before = out.size();
    out.resize_and_overwrite(before + block.size() * kLongest + sizeof(Escape), [&](char* data, std::size_t) {
      return static_cast<std::size_t>(write_escaped(block, data + before) - data);
    });
    text.remove_prefix(block.size());
  }
}

}  // namespace pipette::http
