// Args: parsed as a slow reference parses them, written as what is parsed as the same again, and changed as a list of
// pairs would be. The percent codec under them is driven along.
//
// Lines of the input: a query; then changes, each a letter, a name, and perhaps "=" and a value.
#include "pipette/http/args.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "pipette/http/percent.h"

#include "fuzz/grammar.h"
#include "fuzz/require.h"
#include "tests/support/splits.h"

namespace pipette::fuzz {
namespace {

using http::Args;
using http::PercentSet;

constexpr std::size_t kFewArgs = 50;

struct Pair {
  std::string name;
  std::optional<std::string> value;
};
using Pairs = std::vector<Pair>;

int hex_value(char c) {
  const std::size_t at = std::string_view("0123456789abcdef0123456789ABCDEF").find(c);
  return at == std::string_view::npos ? -1 : static_cast<int>(at % 16);
}

std::string decode(std::string_view text) {
  std::string decoded;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool is_triplet =
        text[i] == '%' && i + 2 < text.size() && hex_value(text[i + 1]) >= 0 && hex_value(text[i + 2]) >= 0;
    if (is_triplet) {
      decoded += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else {
      decoded += text[i] == '+' ? ' ' : text[i];
    }
  }
  return decoded;
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> pieces;
  for (;;) {
    const std::size_t end = text.find(at);
    pieces.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return pieces;
    text.remove_prefix(end + 1);
  }
}

Pair parse_pair(std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos) return {decode(text), std::nullopt};
  return {decode(text.substr(0, equals)), decode(text.substr(equals + 1))};
}

Pairs parse(std::string_view query) {
  Pairs pairs;
  for (const std::string_view text : split(query, '&')) {
    if (!text.empty()) pairs.push_back(parse_pair(text));
  }
  return pairs;
}

void require_same(const Args& args, const Pairs& pairs) {
  require(args.size() == pairs.size());
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    require(args[i].name == pairs[i].name && args[i].value == pairs[i].value.value_or(""));
    require(args[i].has_value == pairs[i].value.has_value());
  }
  std::string out;
  args.write(out);
  for (const char c : out) require(is_letter_or_digit(c) || is_one_of(c, "-._~%+&="));
  Args again(pairs.size());
  require(again.parse(out).has_value() && again == args);
}

void set(Pairs& pairs, const Pair& pair) {
  const auto has_name = [&](const Pair& other) { return other.name == pair.name; };
  const auto found = std::ranges::find_if(pairs, has_name);
  if (found == pairs.end()) {
    pairs.push_back(pair);
  } else {
    found->value = pair.value;
    pairs.erase(std::remove_if(found + 1, pairs.end(), has_name), pairs.end());
  }
}

void change(Args& args, Pairs& pairs, std::string_view line) {
  const Pair pair = parse_pair(line.substr(1));
  const bool can_be_written = !pair.name.empty() || pair.value;
  const auto by_name = [](const Pair& a, const Pair& b) { return a.name < b.name; };
  const auto by_both = [](const Pair& a, const Pair& b) {
    return a.name != b.name ? a.name < b.name : a.value.value_or("") < b.value.value_or("");
  };
  switch (line.front()) {
    case 's':
      pair.value ? args.set(pair.name, *pair.value) : args.set_flag(pair.name);
      set(pairs, pair);
      if (!can_be_written) std::erase_if(pairs, [](const Pair& other) { return other.name.empty(); });
      break;
    case 'a':
      pair.value ? args.add(pair.name, *pair.value) : args.add_flag(pair.name);
      if (can_be_written) pairs.push_back(pair);
      break;
    case 'r':
      args.remove(pair.name);
      std::erase_if(pairs, [&](const Pair& other) { return other.name == pair.name; });
      break;
    case 'n':
      args.sort_by_name();
      for (std::size_t i = 1; i < pairs.size(); ++i) {
        const auto at = pairs.begin() + static_cast<std::ptrdiff_t>(i);
        std::rotate(std::upper_bound(pairs.begin(), at, *at, by_name), at, at + 1);
      }
      break;
    case 'S':
      args.sort();
      for (std::size_t i = 1; i < pairs.size(); ++i) {
        const auto at = pairs.begin() + static_cast<std::ptrdiff_t>(i);
        std::rotate(std::upper_bound(pairs.begin(), at, *at, by_both), at, at + 1);
      }
      break;
    default:
      break;
  }
}

void run_codec(std::string_view text) {
  std::string decoded;
  http::append_form_decoded(text, decoded);
  require(decoded == decode(text));
  for (const PercentSet set : {PercentSet::unreserved, PercentSet::segment, PercentSet::path, PercentSet::query}) {
    const std::string encoded = http::percent_encode(text, set);
    require(http::percent_decode(encoded) == std::string(text));
    require(encoded.size() >= text.size() && encoded.size() <= 3 * text.size());
  }
  require(decode(http::percent_encode(text, PercentSet::form)) == text);
  const Result<std::string> strict = http::percent_decode(text);
  if (strict && !text.contains('+')) require(*strict == decoded);
}

void run(std::string_view input) {
  const std::vector<std::string_view> lines = split(input, '\n');
  const test::ExactBlock block(lines[0]);
  const std::string_view query = block.octets();
  run_codec(query);

  Pairs pairs = parse(query);
  Args all(pairs.size());
  require(all.parse(query).has_value());
  for (std::size_t i = 0; i < std::min(pairs.size(), kFewArgs); ++i) {
    require(http::query_value(query, pairs[i].name) == std::string(all.get(pairs[i].name).value_or("")));
  }
  require(http::query_value(query, "a").has_value() ==
          std::ranges::any_of(pairs, [](const Pair& pair) { return pair.name == "a"; }));

  Args args(kFewArgs);
  if (pairs.size() > kFewArgs) {
    require(args.parse(query) == Result<void>(fail(Errc::too_many_args)) && args.empty());
    return;
  }
  require(args.parse(query).has_value());
  require_same(args, pairs);
  for (std::size_t i = 1; i < lines.size(); ++i) {
    if (lines[i].empty()) continue;
    change(args, pairs, lines[i]);
    require_same(args, pairs);
  }
}

}  // namespace
}  // namespace pipette::fuzz

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  pipette::fuzz::run({reinterpret_cast<const char*>(data), size});  // NOLINT: libFuzzer's signature
  return 0;
}
