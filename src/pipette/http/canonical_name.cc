// Names of letters, digits and "-", which nearly all are, are spelled sixteen octets at a time.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "pipette/base/ascii.h"
#include "pipette/http/field_name.h"

namespace pipette::http {
namespace {

// Sixteen octets of a name; comparing sets all bits of those for which it holds.
using Block [[gnu::vector_size(16)]] = std::uint8_t;

Block load_block(const char* at) {
  Block block;
  std::memcpy(&block, at, sizeof block);
  return block;
}

// All bits of each octet that is between `first` and `last`.
Block between(Block octets, char first, char last) {
  const Block off = octets - static_cast<std::uint8_t>(first);
  return Block(off <= static_cast<std::uint8_t>(last - first));
}

bool all_set(Block mask) {
  std::array<std::uint64_t, 2> halves;
  std::memcpy(halves.data(), &mask, sizeof halves);
  return (halves[0] & halves[1]) == UINT64_MAX;
}

// `before` are the octets one place to the left. Clears in `plain` what is no letter, no digit and no "-".
Block capitalise(Block octets, Block before, Block& plain) {
  const Block lower = octets | (between(octets, 'A', 'Z') & 0x20);
  const Block letters = between(lower, 'a', 'z');
  plain &= letters | between(octets, '0', '9') | Block(octets == '-');
  return lower ^ (letters & Block(before == '-') & 0x20);
}

// For sixteen octets at least; false when one is no letter, no digit and no "-".
bool capitalise_blocks(std::string_view name, char* to) {
  const Block first = load_block(name.data());
  const Block dashes = Block{} + '-';
  const Block before = __builtin_shufflevector(first, dashes, 16, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14);
  Block plain = ~Block{};
  Block capitalised = capitalise(first, before, plain);
  std::memcpy(to, &capitalised, sizeof capitalised);
  for (std::size_t at = sizeof(Block); at < name.size(); at += sizeof(Block)) {
    const std::size_t place = std::min(at, name.size() - sizeof(Block));  // the last block may overlap the one before
    capitalised = capitalise(load_block(name.data() + place), load_block(name.data() + place - 1), plain);
    std::memcpy(to + place, &capitalised, sizeof capitalised);
  }
  return all_set(plain);
}

void capitalise_each(std::string_view name, char* to) {
  bool is_first = true;
  for (const char c : name) {
    *to++ = is_first ? ascii::to_upper(c) : ascii::to_lower(c);
    is_first = c == '-';
  }
}

}  // namespace

void append_canonical_name(std::string_view name, std::string& out) {
  if (const FieldName known = intern(name); known != FieldName::other) {
    out += to_string(known);
    return;
  }
  const std::size_t before = out.size();
  const std::size_t after = before + name.size();
  out.resize_and_overwrite(after, [&](char* data, std::size_t) {
    char* const to = data + before;
    if (name.size() >= sizeof(Block) && capitalise_blocks(name, to)) return after;
    if (ascii::is_token(name)) {
      capitalise_each(name, to);
    } else {
      std::ranges::copy(name, to);
    }
    return after;
  });
}

}  // namespace pipette::http
