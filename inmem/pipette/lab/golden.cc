#include "pipette/lab/golden.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>
#include <stdexcept>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/lab/internal/alignment.h"
#include "pipette/lab/story.h"

namespace pipette::lab {
namespace {

using internal::Stretch;

constexpr std::string_view kUpdateVariable = "PIPETTE_UPDATE_GOLDEN";
constexpr std::size_t kContext = 3;  // lines that are the same, in front of those that are not
constexpr std::size_t kShownLines = 40;
constexpr std::size_t kShortestWord = 4;  // that is hidden everywhere
constexpr std::size_t kLongestWord = 1024;

std::string remedy() { return std::string(kUpdateVariable) + "=1"; }

// --- Masks ----------------------------------------------------------------------------------------------------------

bool is_word_char(char c) {
  return static_cast<unsigned char>(c) > ' ' && c != 0x7f && !std::string_view(",;\"\\<>").contains(c);
}

std::size_t word_bytes(std::string_view text, bool is_number) {
  const auto is_inside = [&](char c) { return is_number ? ascii::is_digit(c) : is_word_char(c); };
  const auto end = std::ranges::find_if_not(text.substr(0, kLongestWord), is_inside);
  return static_cast<std::size_t>(end - text.begin());
}

// How much of the beginning of `text` fits `pattern`; words are what the stars in it stood for.
std::optional<std::size_t> match(std::string_view text, std::string_view pattern, std::vector<std::string>& words) {
  if (pattern.empty()) return 0;
  const char wanted = pattern.front();
  if (wanted != '*' && wanted != '#') {
    if (text.empty() || text.front() != wanted) return std::nullopt;
    const auto rest = match(text.substr(1), pattern.substr(1), words);
    return rest ? std::optional(*rest + 1) : std::nullopt;
  }
  for (std::size_t size = word_bytes(text, wanted == '#'); size > 0; --size) {
    const auto rest = match(text.substr(size), pattern.substr(1), words);
    if (!rest) continue;
    if (wanted == '*') words.emplace_back(text.substr(0, size));
    return *rest + size;
  }
  return std::nullopt;
}

std::string mask_pattern(std::string_view text, std::string_view pattern, std::vector<std::string>& words) {
  std::string masked;
  while (!text.empty()) {
    const std::optional<std::size_t> size = match(text, pattern, words);
    masked += size ? pattern : text.substr(0, 1);
    text.remove_prefix(size.value_or(1));
  }
  return masked;
}

void replace_all(std::string& text, std::string_view word, std::string_view with) {
  for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + with.size())) {
    text.replace(at, word.size(), with);
  }
}

std::string mask_everywhere(std::string_view text, std::string_view pattern) {
  std::vector<std::string> words;
  std::string masked = mask_pattern(text, pattern, words);
  // The longer ones first: one may be part of another.
  std::ranges::sort(words, [](const std::string& a, const std::string& b) {
    return a.size() != b.size() ? a.size() > b.size() : a < b;
  });
  for (const std::string& word : words) {
    if (word.size() >= kShortestWord) replace_all(masked, word, "*");
  }
  return masked;
}

std::vector<std::string_view> lines_of(std::string_view text) {
  std::vector<std::string_view> lines;
  while (!text.empty()) {
    const std::size_t size = std::min(text.find('\n'), text.size() - 1) + 1;
    lines.push_back(text.substr(0, size));
    text.remove_prefix(size);
  }
  return lines;
}

std::string mask_field(std::string_view text, std::string_view name) {
  std::string masked;
  for (const std::string_view line : lines_of(text)) {
    const std::size_t begin = std::min(line.find_first_not_of(' '), line.size());
    const std::string_view content = line.substr(begin);
    const bool is_field = begin > 0 && content.size() > name.size() && content[name.size()] == ':' &&
                          ascii::equal_ignoring_case(content.substr(0, name.size()), name);
    masked += is_field ? line.substr(0, begin + name.size()) : line;
    if (is_field) masked += ": *\n";
  }
  return masked;
}

// --- Files ----------------------------------------------------------------------------------------------------------

std::optional<std::string> read_file(const std::string& path) {
  std::error_code ignored;  // of what is no file
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  return std::string(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
}

std::string write_file(const std::string& path, std::string_view text) {
  const std::filesystem::path folder = std::filesystem::path(path).parent_path();
  std::error_code ignored;  // the file tells
  if (!folder.empty()) std::filesystem::create_directories(folder, ignored);
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file << text;
  file.flush();
  return file ? "" : "cannot write the golden file " + path + ": make its folder writable\n";
}

// --- Differences ----------------------------------------------------------------------------------------------------

std::vector<std::uint64_t> keys_of(const std::vector<std::string_view>& lines) {
  std::vector<std::uint64_t> keys;
  for (const std::string_view line : lines) keys.push_back(internal::key_of(line));
  return keys;
}

std::string shown(std::string_view mark, std::string_view line) {
  std::string text(mark);
  text += line;
  if (!line.ends_with('\n')) text += '\n';
  return text;
}

std::string diff_lines(const std::vector<std::string_view>& golden, const std::vector<std::string_view>& actual) {
  std::string text;
  std::size_t left = kShownLines;
  const auto add = [&](std::string_view mark, const std::vector<std::string_view>& lines, std::size_t begin,
                       std::size_t size) {
    for (std::size_t i = begin; i < begin + size && left > 0; ++i, --left) text += shown(mark, lines[i]);
  };
  const std::vector<Stretch> stretches = internal::align(keys_of(golden), keys_of(actual));
  for (const Stretch& stretch : stretches) {
    if (stretch.is_alike) {
      const bool is_last = &stretch == &stretches.back();
      const std::size_t context = is_last ? 0 : std::min(stretch.first_size, kContext);
      if (context < stretch.first_size && !is_last) text += "    …\n";
      add("    ", golden, stretch.first + stretch.first_size - context, context);
    } else {
      add("  - ", golden, stretch.first, stretch.first_size);
      add("  + ", actual, stretch.second, stretch.second_size);
    }
    if (left == 0) return text + "    … and perhaps more\n";
  }
  return text;
}

}  // namespace

Masks& Masks::field(std::string_view name) {
  if (!ascii::is_token(name)) throw std::invalid_argument("a mask needs the name of a field, like \"Date\"");
  return add(Kind::field, name);
}

Masks& Masks::pattern(std::string_view pattern) { return add(Kind::pattern, pattern); }

Masks& Masks::everywhere(std::string_view pattern) { return add(Kind::everywhere, pattern); }

Masks& Masks::add(Kind kind, std::string_view text) {
  const bool has_literal = text.find_first_not_of("*#") != std::string_view::npos;
  if (!has_literal || text.contains('\n') || text.size() > kLongestWord) {
    throw std::invalid_argument("a mask needs a pattern of one line with some text besides * and #, like \"id=*\"");
  }
  rules_.push_back({kind, std::string(text)});
  return *this;
}

std::string Masks::apply(std::string_view text) const {
  std::string masked(text);
  for (const Rule& rule : rules_) {
    std::vector<std::string> words;
    if (rule.kind == Kind::field) {
      masked = mask_field(masked, rule.text);
    } else if (rule.kind == Kind::pattern) {
      masked = mask_pattern(masked, rule.text, words);
    } else {
      masked = mask_everywhere(masked, rule.text);
    }
  }
  return masked;
}

GoldenMode golden_mode() {
  const char* const value = std::getenv(kUpdateVariable.data());
  return value != nullptr && std::string_view(value) == "1" ? GoldenMode::update : GoldenMode::compare;
}

std::string compare_with_golden(const inmem::EventLog& log, const std::string& path, const Masks& masks,
                                GoldenMode mode) {
  return compare_text_with_golden(text_with_octets(log), path, masks, mode);
}

std::string compare_text_with_golden(std::string_view text, const std::string& path, const Masks& masks,
                                     GoldenMode mode) {
  const std::string actual = masks.apply(text);
  std::optional<std::string> golden = read_file(path);
  if (golden) golden = masks.apply(*golden);
  if (golden == actual) return {};
  if (mode == GoldenMode::update) return write_file(path, actual);
  if (!golden) {
    return "there is no golden file " + path + ": run this test once with " + remedy() +
           ", read what it wrote, and commit it\n";
  }
  return "what happened is not what the golden file " + path + " tells (- golden, + now):\n" +
         diff_lines(lines_of(*golden), lines_of(actual)) + "if it is right now, run this test with " + remedy() +
         ", and commit the file\n";
}

}  // namespace pipette::lab
