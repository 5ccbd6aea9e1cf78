// The text is copied as it is and decoded where it stands: decoding only ever makes it shorter. What is replaced or
// removed stays behind as dead octets, until they are most of the text.

#include "pipette/http/args.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>
#include <system_error>

#include "pipette/http/internal/find.h"
#include "pipette/http/percent.h"

namespace pipette::http {
namespace {

constexpr std::size_t kMinDeadBytes = 256;

// ---- pairs -----------------------------------------------------------------------------------------------

enum Mark : std::uint8_t { encoded = 1, equals = 2, ampersand = 4 };

consteval std::array<std::uint8_t, 256> make_marks() {
  std::array<std::uint8_t, 256> marks{};
  marks['%'] = marks['+'] = encoded;
  marks['='] = equals;
  marks['&'] = ampersand;
  return marks;
}

constexpr std::array<std::uint8_t, 256> kMarks = make_marks();

struct Pair {
  std::size_t size = 0;       // up to the "&" or the end
  std::size_t name_size = 0;  // up to the first "="
  bool is_encoded = false;
};

// The pair that `text` begins with.
inline Pair first_pair(std::string_view text) {
  Pair pair{.name_size = std::string_view::npos};
  for (; pair.size < text.size(); ++pair.size) {
    const std::uint8_t mark = kMarks[static_cast<std::uint8_t>(text[pair.size])];
    if (mark == 0) continue;
    if (mark == ampersand) break;
    if (mark == encoded) {
      pair.is_encoded = true;
    } else if (pair.name_size == std::string_view::npos) {
      pair.name_size = pair.size;
    }
  }
  pair.name_size = std::min(pair.name_size, pair.size);
  return pair;
}

bool decodes_to(std::string_view text, std::string_view wanted) {
  if (text.find_first_of("%+") == std::string_view::npos) return text == wanted;
  std::string decoded;
  append_form_decoded(text, decoded);
  return decoded == wanted;
}

// ---- numbers ---------------------------------------------------------------------------------------------

template <class Number>
Result<Number> parse_number(std::optional<std::string_view> text) {
  Number number{};
  if (!text || text->empty()) return fail(Errc::bad_number);
  const char* const end = text->data() + text->size();
  const auto [stop, error] = std::from_chars(text->data(), end, number);
  if (error != std::errc() || stop != end) return fail(Errc::bad_number);
  return number;
}

constexpr std::size_t kMaxNumberBytes = 32;

template <class Number>
std::string_view format_number(Number number, std::array<char, kMaxNumberBytes>& room) {
  const auto [end, error] = std::to_chars(room.data(), room.data() + room.size(), number);
  return {room.data(), static_cast<std::size_t>(end - room.data())};
}

}  // namespace

Args& Args::operator=(Args&& other) noexcept {
  if (this == &other) return *this;
  max_args_ = other.max_args_;
  text_ = std::move(other.text_);
  dead_bytes_ = other.dead_bytes_;
  entries_ = std::move(other.entries_);
  other.clear();
  return *this;
}

Result<void> Args::parse(std::string_view text) {
  text_.assign(text);
  entries_.clear();
  dead_bytes_ = 0;
  for (std::size_t at = 0; at < text_.size();) {
    const Pair pair = first_pair(std::string_view(text_).substr(at));
    if (pair.size > 0) {
      if (entries_.size() == max_args_) {
        clear();
        return fail(Errc::too_many_args);
      }
      const bool has_value = pair.name_size < pair.size;
      const std::size_t value_at = at + pair.name_size + (has_value ? 1 : 0);
      Entry entry{at, pair.name_size, value_at, at + pair.size - value_at, 0, has_value};
      if (pair.is_encoded) {
        entry.name_size = form_decode_in_place(text_.data() + entry.name_at, entry.name_size);
        entry.value_size = form_decode_in_place(text_.data() + entry.value_at, entry.value_size);
      }
      entries_.push_back(entry);
    }
    at += pair.size + 1;
  }
  return {};
}

void Args::write(std::string& out) const {
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    if (i > 0) out += '&';
    append_percent_encoded(name(entries_[i]), PercentSet::form, out);
    if (!entries_[i].has_value) continue;
    out += '=';
    append_percent_encoded(value(entries_[i]), PercentSet::form, out);
  }
}

// ---- looking up ------------------------------------------------------------------------------------------

std::size_t Args::find(std::string_view wanted, std::size_t from) const {
  while (from < entries_.size() && !internal::is_same(name(entries_[from]), wanted)) ++from;
  return from;
}

std::optional<std::string_view> Args::get(std::string_view name) const {
  const std::size_t found = find(name, 0);
  if (found == entries_.size()) return std::nullopt;
  return value(entries_[found]);
}

std::vector<std::string_view> Args::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (std::size_t i = find(name, 0); i < entries_.size(); i = find(name, i + 1)) values.push_back(value(entries_[i]));
  return values;
}

Result<std::uint64_t> Args::get_uint(std::string_view name) const { return parse_number<std::uint64_t>(get(name)); }
Result<std::int64_t> Args::get_int(std::string_view name) const { return parse_number<std::int64_t>(get(name)); }

Result<double> Args::get_double(std::string_view name) const {
  const Result<double> number = parse_number<double>(get(name));
  if (number && !std::isfinite(*number)) return fail(Errc::bad_number);
  return number;
}

Result<bool> Args::get_bool(std::string_view name) const {
  constexpr std::string_view kTrue[] = {"1", "t", "T", "true", "TRUE", "True", "y", "Y", "yes", "YES", "Yes"};
  constexpr std::string_view kFalse[] = {"0", "f", "F", "false", "FALSE", "False", "n", "N", "no", "NO", "No"};
  const std::optional<std::string_view> found = get(name);
  if (found && std::ranges::find(kTrue, *found) != std::end(kTrue)) return true;
  if (found && std::ranges::find(kFalse, *found) != std::end(kFalse)) return false;
  return fail(Errc::bad_number);
}

bool operator==(const Args& a, const Args& b) {
  if (a.size() != b.size()) return false;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] != b[i]) return false;
  }
  return true;
}

// ---- changing --------------------------------------------------------------------------------------------

// `name` and `value` may be views into the text itself: it neither moves nor is compacted before they have been copied.
std::size_t Args::append_text(std::string_view name, std::string_view value) {
  const std::size_t at = text_.size();
  const std::size_t needed = at + name.size() + value.size();
  if (needed <= text_.capacity()) {
    text_.append(name).append(value);
  } else {
    std::string larger;
    larger.reserve(std::max(needed, 2 * text_.capacity()));
    larger.append(text_).append(name).append(value);
    text_.swap(larger);
  }
  return at;
}

void Args::append(std::string_view name, std::string_view value, bool has_value) {
  if (name.empty() && !has_value) return;
  const std::size_t at = append_text(name, value);
  entries_.push_back({at, name.size(), at + name.size(), value.size(), 0, has_value});
}

void Args::replace(std::string_view name, std::string_view value, bool has_value) {
  const std::size_t found = find(name, 0);
  if (found == entries_.size()) return append(name, value, has_value);
  if (name.empty() && !has_value) return remove(name);
  remove_from(name, found + 1);
  Entry& entry = entries_[found];
  if (value.size() <= entry.value_size) {
    if (!value.empty()) std::memmove(text_.data() + entry.value_at, value.data(), value.size());
    dead_bytes_ += entry.value_size - value.size();
  } else {
    entry.value_at = append_text({}, value);
    dead_bytes_ += entry.value_size;
  }
  entry.value_size = value.size();
  entry.has_value = has_value;
  compact();
}

Result<void> Args::set_number(std::string_view name, double value) {
  if (!std::isfinite(value)) return fail(Errc::bad_number);
  std::array<char, kMaxNumberBytes> room;
  set(name, format_number(value, room));
  return {};
}

void Args::set_uint(std::string_view name, std::uint64_t value) {
  std::array<char, kMaxNumberBytes> room;
  set(name, format_number(value, room));
}

void Args::set_int(std::string_view name, std::int64_t value) {
  std::array<char, kMaxNumberBytes> room;
  set(name, format_number(value, room));
}

void Args::remove(std::string_view name) {
  remove_from(name, 0);
  compact();
}

void Args::remove_from(std::string_view wanted, std::size_t from) {
  const auto first = entries_.begin() + static_cast<std::ptrdiff_t>(from);
  const auto is_wanted = [&](const Entry& entry) {
    if (name(entry) != wanted) return false;
    dead_bytes_ += entry.name_size + entry.value_size;
    return true;
  };
  entries_.erase(std::remove_if(first, entries_.end(), is_wanted), entries_.end());
}

void Args::clear() {
  text_.clear();
  entries_.clear();
  dead_bytes_ = 0;
}

// Once most octets are dead, the living are copied: no number of changes makes the text grow without bound.
void Args::compact() {
  if (dead_bytes_ < kMinDeadBytes || dead_bytes_ < text_.size() / 2) return;
  std::string text;
  text.reserve(text_.size() - dead_bytes_);
  for (Entry& entry : entries_) {
    const Arg old = arg(entry);
    entry.name_at = text.size();
    text.append(old.name);
    entry.value_at = text.size();
    text.append(old.value);
  }
  text_.swap(text);
  dead_bytes_ = 0;
}

void Args::sort() {
  sort_stably([&](const Entry& a, const Entry& b) {
    const int order = name(a).compare(name(b));
    return order != 0 ? order : value(a).compare(value(b));
  });
}

void Args::sort_by_name() {
  sort_stably([&](const Entry& a, const Entry& b) { return name(a).compare(name(b)); });
}

// std::stable_sort would allocate.
template <class Compare>
void Args::sort_stably(Compare&& compare) {
  for (std::size_t i = 0; i < entries_.size(); ++i) entries_[i].rank = static_cast<std::uint32_t>(i);
  std::ranges::sort(entries_, [&](const Entry& a, const Entry& b) {
    const int order = compare(a, b);
    return order != 0 ? order < 0 : a.rank < b.rank;
  });
}

// ---- one value -------------------------------------------------------------------------------------------

std::optional<std::string> query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const Pair pair = first_pair(query);
    if (pair.size > 0 && decodes_to(query.substr(0, pair.name_size), name)) {
      std::string value;
      if (pair.name_size < pair.size) {
        append_form_decoded(query.substr(pair.name_size + 1, pair.size - pair.name_size - 1), value);
      }
      return value;
    }
    query.remove_prefix(std::min(pair.size + 1, query.size()));
  }
  return std::nullopt;
}

}  // namespace pipette::http
