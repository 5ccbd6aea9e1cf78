// Ranges: exactly the octets that were asked for are sent, each once and in few parts, and what is no range is refused.
// The first octet of the input is the length of the representation and how many parts there may be.
#include "pipette/http/range.h"

#include <algorithm>
#include <bitset>
#include <optional>
#include <string>

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

constexpr std::size_t kMaxLength = 64;

using Octets = std::bitset<kMaxLength>;

// A number as RFC 9110 §14.1.1 has it, as text; nothing when `text` is none.
std::optional<std::string> digits_of(std::string_view text) {
  if (text.empty() || text.find_first_not_of("0123456789") != std::string_view::npos) return std::nullopt;
  text.remove_prefix(std::min(text.find_first_not_of('0'), text.size() - 1));
  return std::string(text);
}

bool is_less(const std::string& a, const std::string& b) { return a.size() != b.size() ? a.size() < b.size() : a < b; }

// All numbers that are too large are alike.
std::string clamped(std::string digits) {
  const std::string largest = "18446744073709551615";
  return is_less(largest, digits) ? largest : digits;
}

std::size_t place(const std::string& digits) { return is_less("99", digits) ? 99 : std::stoul(digits); }

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_one_of(text.front(), " \t")) text.remove_prefix(1);
  while (!text.empty() && is_one_of(text.back(), " \t")) text.remove_suffix(1);
  return text;
}

// Adds the octets of one range-spec; false when it is none.
bool add_spec(std::string_view spec, std::size_t length, Octets& asked) {
  const std::size_t dash = spec.find('-');
  if (dash == std::string_view::npos) return false;
  const auto last = digits_of(spec.substr(dash + 1));
  if (dash == 0) {
    if (!last) return false;
    for (std::size_t i = 0; i < length; ++i) {
      if (length - i <= place(*last)) asked.set(i);
    }
    return true;
  }
  const auto first = digits_of(spec.substr(0, dash));
  if (!first || (!last && dash + 1 != spec.size())) return false;
  if (last && is_less(clamped(*last), clamped(*first))) return false;
  for (std::size_t i = place(*first); i < length && (!last || i <= place(*last)); ++i) asked.set(i);
  return true;
}

// Nothing when `set` is malformed.
std::optional<Octets> read_slowly(std::string_view set, std::size_t length) {
  Octets asked;
  std::size_t empty = 0;
  bool has_any = false;
  while (!set.empty()) {
    const std::size_t comma = set.find(',');
    const std::string_view spec = trimmed(set.substr(0, comma));
    if (spec.empty()) {
      if (comma != std::string_view::npos && ++empty > 64) return std::nullopt;
    } else {
      if (!add_spec(spec, length, asked)) return std::nullopt;
      has_any = true;
    }
    set = comma == std::string_view::npos ? std::string_view() : set.substr(comma + 1);
  }
  return has_any ? std::optional(asked) : std::nullopt;
}

void check_ranges(std::string_view set, std::size_t length, std::size_t max_ranges) {
  const std::string value = "bytes=" + std::string(set);
  const test::ExactBlock block(value);
  const Result<http::Ranges> ranges = http::resolve_ranges(block.octets(), length, max_ranges);
  const std::optional<Octets> asked = read_slowly(set, length);
  require(ranges.has_value() == asked.has_value());
  if (!ranges) return require(ranges.error() == Errc::bad_range);

  using Kind = http::Ranges::Kind;
  require(ranges->parts().empty() == (ranges->kind() != Kind::parts));
  require(ranges->parts().size() <= max_ranges);
  require((ranges->kind() == Kind::unsatisfiable) == (asked->none() && length > 0));
  if (ranges->kind() != Kind::parts) return;
  std::bitset<kMaxLength + 2> sent;
  for (const http::ByteRange& part : ranges->parts()) {
    require(part.first <= part.last && part.last < length);
    // Neither in another part nor beside one; shifted by one, so that the first has a neighbour too.
    for (std::size_t i = part.first; i <= part.last + 2; ++i) require(!sent[i]);
    for (std::size_t i = part.first; i <= part.last; ++i) {
      sent.set(i + 1);
      require((*asked)[i]);
    }
    std::string out;
    require(http::write_content_range({part, length}, out).has_value());
    require(http::parse_content_range(out) == http::ContentRange{part, length});
  }
  require(sent.count() == asked->count());
}

void check_any(std::string_view value) {
  const test::ExactBlock block(value);
  const Result<http::Ranges> ranges = http::resolve_ranges(block.octets(), UINT64_MAX);
  if (ranges) {
    for (const http::ByteRange& part : ranges->parts()) require(part.first <= part.last && part.last < UINT64_MAX);
  }
  if (const Result<http::ContentRange> content_range = http::parse_content_range(block.octets())) {
    std::string out;
    require(http::write_content_range(*content_range, out).has_value());
    require(http::parse_content_range(out) == *content_range);
    require(content_range->range || content_range->length);
    require(!content_range->range || content_range->range->size() > 0);
  }
}

void run(std::string_view input) {
  if (input.empty()) return;
  const auto choice = static_cast<unsigned char>(input.front());
  input.remove_prefix(1);
  check_ranges(input, choice % kMaxLength, choice < 128 ? http::kMaxRanges : 3);
  check_any(input);
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
