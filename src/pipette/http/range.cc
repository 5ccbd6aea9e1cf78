#include "pipette/http/range.h"

#include <algorithm>

#include "pipette/base/ascii.h"
#include "pipette/base/digits.h"
#include "pipette/http/field_list.h"

namespace pipette::http {
namespace {

constexpr std::string_view kBytes = "bytes";
constexpr std::uint64_t kLargest = UINT64_MAX;
constexpr std::ptrdiff_t kMaxSafeDigits = 19;  // no number of so many is too large

// Reads DIGITs; the end of them.
inline const char* read_number(const char* at, const char* end, std::uint64_t& number) {
  const char* const begin = at;
  std::uint64_t value = 0;
  for (; at != end && ascii::is_digit(*at); ++at) value = value * 10 + static_cast<std::uint64_t>(*at - '0');
  if (at - begin > kMaxSafeDigits) value = ascii::parse_decimal(internal::between(begin, at)).value_or(kLargest);
  number = value;
  return at;
}

enum class Spec : std::uint8_t { satisfiable, unsatisfiable, malformed, end };

// Reads one range-spec after the other, cut to what there is.
class SpecReader : private internal::LineReader {
 public:
  SpecReader(std::string_view set, std::uint64_t length) : length_(length) { begin_line(set); }

  Spec next(ByteRange& range) {
    const internal::Step step = find_element();
    if (step != internal::Step::taken) return step == internal::Step::end ? Spec::end : Spec::malformed;
    const Spec spec = take(range);
    at_ = internal::skip_space(at_, end_);
    if (at_ == end_) return spec;
    return *at_++ == ',' ? spec : Spec::malformed;
  }

 private:
  Spec take(ByteRange& range) {
    const char* const begin = at_;
    const char* const dash = read_number(begin, end_, range.first);
    if (dash == end_ || *dash != '-') return Spec::malformed;
    at_ = read_number(dash + 1, end_, range.last);
    const bool has_last = at_ != dash + 1;
    if (dash == begin) {  // suffix-range
      if (!has_last) return Spec::malformed;
      const std::uint64_t size = std::min(range.last, length_);
      range = {length_ - size, length_ - 1};
      return size > 0 ? Spec::satisfiable : Spec::unsatisfiable;
    }
    if (has_last && range.last < range.first) return Spec::malformed;
    range.last = has_last ? std::min(range.last, length_ - 1) : length_ - 1;
    return range.first < length_ ? Spec::satisfiable : Spec::unsatisfiable;
  }

  std::uint64_t length_;
};

bool are_joined(ByteRange a, ByteRange b) {
  return a.first <= b.last + 1 && b.first <= a.last + 1;  // last < length, so that + 1 cannot overflow
}

// 1*DIGIT that fits.
std::optional<std::uint64_t> take_exact(const char*& at, const char* end) {
  const char* const begin = at;
  while (at != end && ascii::is_digit(*at)) ++at;
  return ascii::parse_decimal(internal::between(begin, at));
}

bool take(const char*& at, const char* end, char wanted) {
  if (at == end || *at != wanted) return false;
  ++at;
  return true;
}

bool is_valid(const ContentRange& content_range) {
  const auto& [range, length] = content_range;
  if (!range) return length.has_value();
  return range->first <= range->last && range->last < length.value_or(kLargest);
}

}  // namespace

void Ranges::remove(std::size_t index) {
  std::copy(parts_.begin() + index + 1, parts_.begin() + count_, parts_.begin() + index);
  --count_;
}

// Joins it with every part that it overlaps or touches, and with those that it touches only then.
void Ranges::add(ByteRange range, std::size_t max_ranges) {
  std::size_t place = kMaxRanges;
  for (std::size_t i = 0; i < count_;) {
    if (!are_joined(range, parts_[i])) {
      ++i;
      continue;
    }
    range = {std::min(range.first, parts_[i].first), std::max(range.last, parts_[i].last)};
    place = std::min(place, i);
    remove(i);
    i = 0;
  }
  if (count_ == max_ranges) {
    is_too_much_ = true;
    return;
  }
  place = std::min(place, count_);
  for (std::size_t i = count_; i > place; --i) parts_[i] = parts_[i - 1];
  parts_[place] = range;
  ++count_;
}

bool Ranges::resolve(std::string_view value, std::uint64_t length, std::size_t max_ranges) {
  std::size_t equals = kBytes.size();
  if (!value.starts_with("bytes=")) {
    equals = value.find('=');
    if (equals == std::string_view::npos) return false;
    const std::string_view unit = value.substr(0, equals);
    if (!ascii::equal_ignoring_case(unit, kBytes)) return ascii::is_token(unit);
  }

  SpecReader reader(value.substr(equals + 1), length);
  ByteRange range;
  bool has_any = false;
  for (;;) {
    const Spec spec = reader.next(range);
    if (spec == Spec::malformed) return false;
    if (spec == Spec::end) break;
    has_any = true;
    if (spec == Spec::satisfiable) add(range, max_ranges);
  }
  if (length > 0 && !is_too_much_) kind_ = count_ > 0 ? Kind::parts : Kind::unsatisfiable;
  if (kind_ != Kind::parts) count_ = 0;
  return has_any;
}

Result<Ranges> resolve_ranges(std::string_view value, std::uint64_t length, std::size_t max_ranges) {
  Result<Ranges> ranges;
  if (!ranges->resolve(value, length, std::min(max_ranges, kMaxRanges))) ranges = fail(Errc::bad_range);
  return ranges;
}

Result<Ranges> requested_ranges(Method method, const Fields& request, std::uint64_t length, std::size_t max_ranges) {
  if (method != Method::get || !request.contains(FieldName::range)) return Ranges();
  if (request.is_repeated(FieldName::range)) return fail(Errc::bad_range);
  return resolve_ranges(*request.get(FieldName::range), length, max_ranges);
}

Result<ContentRange> parse_content_range(std::string_view value) {
  const char* at = value.data();
  const char* const end = at + value.size();
  if (!ascii::equal_ignoring_case(value.substr(0, kBytes.size()), kBytes)) return fail(Errc::bad_range);
  at += kBytes.size();
  if (!take(at, end, ' ')) return fail(Errc::bad_range);

  ContentRange content_range;
  if (!take(at, end, '*')) {
    const auto first = take_exact(at, end);
    if (!first || !take(at, end, '-')) return fail(Errc::bad_range);
    const auto last = take_exact(at, end);
    if (!last) return fail(Errc::bad_range);
    content_range.range = ByteRange{*first, *last};
  }
  if (!take(at, end, '/')) return fail(Errc::bad_range);
  if (!take(at, end, '*')) {
    content_range.length = take_exact(at, end);
    if (!content_range.length) return fail(Errc::bad_range);
  }
  if (at != end || !is_valid(content_range)) return fail(Errc::bad_range);
  return content_range;
}

Result<void> write_content_range(const ContentRange& content_range, std::string& out) {
  if (!is_valid(content_range)) return fail(Errc::bad_range);
  out.append(kBytes).append(" ");
  if (content_range.range) {
    append_decimal(out, content_range.range->first);
    out += '-';
    append_decimal(out, content_range.range->last);
  } else {
    out += '*';
  }
  out += '/';
  if (content_range.length) {
    append_decimal(out, *content_range.length);
  } else {
    out += '*';
  }
  return {};
}

}  // namespace pipette::http
