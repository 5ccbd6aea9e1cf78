// One pass over each complete line. Where the pass meets the end of what has arrived, the line is incomplete:
// it is parsed again when its end is there, which a search from where the last one stopped finds. Errors
// inside a line are reported only once its end is known to lie within its limit, so that the result does not
// depend on how the octets were cut.

#include "pipette/http/head_parser.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>
#include <utility>

#include "pipette/base/ascii.h"
#include "pipette/http/internal/intern.h"
#include "pipette/http/internal/scan.h"

namespace pipette::http {
namespace {

using internal::first_mark;
using internal::skip_target;
using internal::skip_token;
using internal::skip_value;

constexpr std::size_t kMaxMethodBytes = 32;
constexpr std::size_t kVersionBytes = 8;  // HTTP/1.1
constexpr std::size_t kMaxReasonBytes = 1024;
constexpr std::uint32_t kGet = 'G' | 'E' << 8 | 'T' << 16 | ' ' << 24;
constexpr std::uint64_t kPost = 0x2054534f50;             // "POST "
constexpr std::uint64_t kVersion11 = 0x312e312f50545448;  // "HTTP/1.1"
constexpr std::string_view kOkLine = "HTTP/1.1 200 OK\r\n";
constexpr std::size_t kMaxRememberedBytes = 2048;
constexpr unsigned kMaxChanges = 8;
constexpr std::size_t kMaxPlainLines = 128;  // that the fast path takes in one go
constexpr std::uint16_t kLineEnd = '\r' | '\n' << 8;
constexpr std::size_t kNoLineEnd = static_cast<std::size_t>(-1);

// Where the LF is that ends the line at `line`, searched from `scanned` on; kNoLineEnd when it is not there yet.
std::size_t find_line_end(Bytes input, std::size_t line, std::size_t& scanned) {
  const std::size_t from = std::max(line, scanned);
  const void* lf = from < input.size() ? std::memchr(input.data() + from, '\n', input.size() - from) : nullptr;
  if (lf != nullptr) return static_cast<std::size_t>(static_cast<const char*>(lf) - input.data());
  scanned = input.size();
  return kNoLineEnd;
}

// What is to be said of the line at `line`, in which something is wrong (`error`) or whose end has not arrived: the
// error, another one when the line is too long, or nothing while it may still turn out to be.
std::optional<Errc> judge(Bytes input, std::size_t line, std::size_t& scanned, std::size_t max_line, Errc too_long,
                          Errc error) {
  scanned = std::max(scanned, line);
  const std::size_t end = find_line_end(input, line, scanned);
  if (end == kNoLineEnd) return input.size() - line > max_line ? std::optional(too_long) : std::nullopt;
  return end - line >= max_line ? too_long : error;
}

bool is_port(std::string_view digits) {
  const auto port = ascii::parse_decimal(digits);
  return digits.empty() || (port && *port <= 65535);
}

bool has_valid_percents(std::string_view text) {
  if (text.empty() || std::memchr(text.data(), '%', text.size()) == nullptr) return true;
  for (std::size_t i = text.find('%'); i != std::string_view::npos; i = text.find('%', i + 1)) {
    if (i + 2 >= text.size() || !ascii::is_hex_digit(text[i + 1]) || !ascii::is_hex_digit(text[i + 2])) return false;
  }
  return true;
}

// IPv4address, RFC 3986 §3.2.2: four numbers up to 255, without leading zeros.
bool is_ipv4_literal(std::string_view text) {
  for (int left = 4; left > 0; --left) {
    const std::string_view number = text.substr(0, left > 1 ? text.find('.') : text.size());
    const auto value = ascii::parse_decimal(number);
    if (!value || *value > 255 || (number.size() > 1 && number.front() == '0')) return false;
    text.remove_prefix(std::min(number.size() + 1, text.size()));
  }
  return true;
}

// IPv6address, RFC 3986 §3.2.2: eight groups of one to four hex digits, the last two perhaps written as an IPv4
// address; one "::" may stand for any number of groups that are zero.
bool is_ipv6_literal(std::string_view text) {
  unsigned groups = 0;
  bool has_gap = false;
  for (;;) {
    if (text.starts_with("::")) {
      if (std::exchange(has_gap, true)) return false;
      text.remove_prefix(2);
      if (text.empty()) break;
    } else if (groups > 0) {
      if (text.empty()) break;
      if (text.front() != ':') return false;
      text.remove_prefix(1);
    }
    if (!text.contains(':') && text.contains('.')) {
      if (!is_ipv4_literal(text)) return false;
      groups += 2;
      break;
    }
    const auto is_digit = [](char c) { return ascii::is_hex_digit(c); };
    const auto digits = static_cast<std::size_t>(std::ranges::find_if_not(text, is_digit) - text.begin());
    if (digits == 0 || digits > 4) return false;
    text.remove_prefix(digits);
    ++groups;
  }
  return has_gap ? groups < 8 : groups == 8;
}

// Splits "scheme://authority/path?query"; false when `target` has none of the shapes of an http URI.
bool split_absolute(std::string_view target, RequestHead& head) {
  std::string_view rest;
  for (const std::string_view scheme : {std::string_view("http://"), std::string_view("https://")}) {
    if (target.size() > scheme.size() && ascii::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      rest = target.substr(scheme.size());
    }
  }
  const std::size_t authority_size = std::min(rest.find_first_of("/?"), rest.size());
  head.authority = rest.substr(0, authority_size);
  rest.remove_prefix(authority_size);
  const std::size_t question = rest.find('?');
  head.path = rest.substr(0, question);
  if (head.path.empty()) head.path = "/";
  head.query = question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
  return is_host(head.authority);  // without userinfo: RFC 9110 §4.2.4
}

// RFC 9112 §3.2: which of the four forms the target has.
bool split_target(RequestHead& head) {
  const std::string_view target = head.target;
  if (head.method == Method::connect) {
    head.form = TargetForm::authority;
    head.authority = target;
    head.path = head.query = {};
    const std::size_t colon = target.rfind(':');  // RFC 9110 §9.3.6: the port is not optional here
    return is_host(target) && colon != std::string_view::npos && colon + 1 < target.size() && !target.ends_with(']');
  }
  if (target.front() == '/') {
    head.form = TargetForm::origin;
    const auto* question = static_cast<const char*>(std::memchr(target.data(), '?', target.size()));
    const std::size_t path_size =
        question == nullptr ? target.size() : static_cast<std::size_t>(question - target.data());
    head.path = target.substr(0, path_size);
    head.query = question == nullptr ? std::string_view() : target.substr(path_size + 1);
    head.authority = {};
    return true;
  }
  if (target == "*") {
    head.form = TargetForm::asterisk;
    head.path = target;
    head.authority = head.query = {};
    return head.method == Method::options;
  }
  head.form = TargetForm::absolute;
  return split_absolute(target, head);
}

// RFC 9112 §3.2: exactly one Host in HTTP/1.1, never two, and always a valid one; an absolute target's
// authority takes its place.
Result<void> check_host(const RequestHead& head) {
  const auto host = head.fields.get(FieldName::host);
  if (!host) {
    if (!head.is_http_1_0) return fail(Errc::missing_host);
    return {};
  }
  if (head.fields.is_repeated(FieldName::host)) return fail(Errc::repeated_host);
  if (!is_host(*host)) return fail(Errc::bad_host);
  return {};
}

// "HTTP/1.1" at `at`; sets `is_http_1_0`.
Result<void> parse_version(std::string_view text, bool& is_http_1_0) {
  if (!text.starts_with("HTTP/") || !ascii::is_digit(text[5]) || text[6] != '.' || !ascii::is_digit(text[7])) {
    return fail(Errc::bad_version);
  }
  if (text[5] != '1') return fail(Errc::unsupported_version);
  is_http_1_0 = text[7] == '0';
  return {};
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.starts_with('[')) {
    const std::size_t close = text.find(']');
    if (close == std::string_view::npos || !is_ipv6_literal(text.substr(1, close - 1))) return false;
    const std::string_view rest = text.substr(close + 1);
    return rest.empty() || (rest.front() == ':' && is_port(rest.substr(1)));
  }
  const char* const end = text.data() + text.size();
  const char* at = text.data();
  while (at != end && ascii::is_host_char(*at)) ++at;
  const auto host = text.substr(0, static_cast<std::size_t>(at - text.data()));
  if (host.empty() || !has_valid_percents(host)) return false;
  return at == end || (*at == ':' && is_port(text.substr(host.size() + 1)));
}

// ---- field lines -----------------------------------------------------------------------------------------

// The fast path: takes lines as long as they are plain (printable ASCII, one space or none behind the colon, a value)
// and whole and within their limits, and leaves the first one that is not to take_line(), which knows every rule. It
// accepts nothing that take_line() would refuse.
void FieldSectionParser::take_plain_lines(Bytes input, Fields& fields) {
  if (limits_.max_field_bytes < internal::kMarkedBytes + 2) return;
  const char* const begin = input.data();
  const char* const end = begin + std::min(input.size(), limits_.max_head_bytes);
  const char* line = begin + line_;
  if (line >= end) return;  // also when the start line alone has filled the head
  const std::size_t room = std::min(limits_.max_fields - std::min(limits_.max_fields, fields.size()), kMaxPlainLines);
  fields.reserve(room);
  const std::size_t max_size = fields.size() + room;

  const char* window = line;
  internal::Marks marks;
  internal::mark_until(window, end, marks);
  while (end - line >= 4 && fields.size() < max_size) {
    auto at = static_cast<std::size_t>(line - window);
    std::size_t stop_at = first_mark(marks.unprintables, at);
    if (stop_at == internal::kMarkedBytes) {
      if (at == 0) break;
      window = line;
      at = 0;
      internal::mark_until(window, end, marks);
      stop_at = first_mark(marks.unprintables, at);
    }
    const std::size_t colon_at = first_mark(marks.colons, at);
    const char* const stop = window + stop_at;
    const char* const colon = window + colon_at;
    if (colon_at >= stop_at || end - stop < 2 || internal::load_half(stop) != kLineEnd) break;
    const auto name_size = static_cast<std::size_t>(colon - line);
    const bool is_far_from_end = end - line >= static_cast<std::ptrdiff_t>(internal::kMaxInternedName);
    const FieldName name = is_far_from_end ? internal::intern_readable(line, name_size) : intern({line, name_size});
    if (name == FieldName::other && (name_size == 0 || skip_token(line, colon) != colon)) break;
    const char* const value = colon + (colon[1] == ' ' ? 2 : 1);
    if (*value <= ' ' || stop[-1] <= ' ') break;
    fields.append_reserved(name, static_cast<std::size_t>(line - begin), name_size,
                           static_cast<std::size_t>(value - begin), static_cast<std::size_t>(stop - value));
    line = stop + 2;
    if (line - window >= static_cast<std::ptrdiff_t>(internal::kMarkedBytes)) {
      window = line;
      internal::mark_until(window, end, marks);
    }
  }
  line_ = static_cast<std::size_t>(line - begin);
}

void FieldSectionParser::reset(std::size_t at) {
  begin_ = line_ = scanned_ = at;
  is_begun_ = is_repeated_ = false;
}

Result<std::size_t> FieldSectionParser::parse(Bytes input, Fields& fields) {
  if (!is_begun_) {
    is_repeated_ = repeats_last(input, fields);
    if (is_repeated_) return begin_ + last_.size();
    fields.clear();
    is_begun_ = true;
  }
  fields.rebase(input.data());
  for (;;) {
    if (scanned_ <= line_) take_plain_lines(input, fields);
    if (line_ + 2 <= limits_.max_head_bytes && input.substr(line_, 2) == "\r\n") {
      line_ += 2;
      remember(input.substr(begin_, line_ - begin_), fields);
      return line_;
    }
    const Result<bool> taken = take_line(input, fields);
    if (!taken) return fail(taken.error());
    if (!*taken) return 0;
  }
}

// Who keeps a connection mostly sends the same fields again. Equal octets have equal meaning, so when they are the
// last section's, its entries are taken over.
bool FieldSectionParser::repeats_last(Bytes input, Fields& fields) {
  const std::size_t size = last_.size();
  if (size == 0 || last_fields_ != &fields || fields.revision() != last_revision_) return false;
  if (input.size() - begin_ < size || begin_ + size > limits_.max_head_bytes) return false;
  if (std::memcmp(input.data() + begin_, last_.data(), size) != 0) return false;
  // The entries' offsets count from where the head of the last section began.
  fields.rebase(input.data() + begin_ - last_begin_);
  return true;
}

// Stops trying on a connection whose fields change.
void FieldSectionParser::remember(Bytes section, const Fields& fields) {
  last_begin_ = begin_;
  last_fields_ = &fields;
  last_revision_ = fields.revision();
  if (section == last_) return;
  last_.clear();
  if (section.size() > kMaxRememberedBytes || changes_ == kMaxChanges) return;
  ++changes_;
  last_ = section;
}

void FieldSectionParser::forget() {
  last_.clear();
  changes_ = 0;
}

// Takes one field line by every rule; false when its end has not arrived.
Result<bool> FieldSectionParser::take_line(Bytes input, Fields& fields) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  const char* const line = begin + line_;
  const std::size_t room = limits_.max_head_bytes - std::min(limits_.max_head_bytes, line_);
  const std::size_t max_line = std::min(room, limits_.max_field_bytes);
  const Errc too_long = room < limits_.max_field_bytes ? Errc::head_too_large : Errc::field_too_large;
  const auto wait_or_fail = [&](Errc error) -> Result<bool> {
    const std::optional<Errc> verdict = judge(input, line_, scanned_, max_line, too_long, error);
    if (verdict) return fail(*verdict);
    return false;
  };

  const bool is_incomplete = scanned_ > line_ && find_line_end(input, line_, scanned_) == kNoLineEnd;
  if (is_incomplete || line == end) return wait_or_fail(Errc::bad_line_end);
  if (*line == '\r' ||
      *line == '\n') {  // the empty line that ends the section is not here, so a lone CR or LF, or no room
    return wait_or_fail(input.substr(line_, 2) == "\r\n" ? Errc::head_too_large : Errc::bad_line_end);
  }
  const char* const colon = skip_token(line, end);
  if (colon == end || *colon != ':' || colon == line) {
    const bool is_folded = ascii::is_space_or_tab(*line) && !fields.empty();
    return wait_or_fail(is_folded ? Errc::obsolete_line_folding : Errc::bad_field_name);
  }

  const char* value = colon + 1;
  while (value != end && ascii::is_space_or_tab(*value)) ++value;
  const char* const stop = skip_value(value, end);
  if (end - stop < 2 || internal::load_half(stop) != kLineEnd) {
    const bool is_line_end = stop == end || *stop == '\r' || *stop == '\n';
    return wait_or_fail(is_line_end ? Errc::bad_line_end : Errc::bad_field_value);
  }
  const auto line_size = static_cast<std::size_t>(stop + 2 - line);
  const auto name_size = static_cast<std::size_t>(colon - line);
  if (line_size > max_line || name_size > UINT16_MAX) return fail(too_long);
  if (fields.size() == limits_.max_fields) return fail(Errc::too_many_fields);

  const char* value_end = stop;
  while (value_end != value && ascii::is_space_or_tab(value_end[-1])) --value_end;
  fields.append(intern({line, name_size}), line_, name_size, static_cast<std::size_t>(value - begin),
                static_cast<std::size_t>(value_end - value));
  line_ += line_size;
  scanned_ = line_;
  return true;
}

// ---- requests --------------------------------------------------------------------------------------------

void RequestParser::reset() {
  section_.reset();
  in_fields_ = false;
  line_ = scanned_ = 0;
}

Result<std::size_t> RequestParser::parse(Bytes input, RequestHead& head) {
  if (!in_fields_) {
    std::size_t line_end = take_plain_request_line(input, head);
    if (line_end == 0) {
      const Result<std::size_t> parsed = parse_request_line(input, head);
      if (!parsed || *parsed == 0) return parsed;
      line_end = *parsed;
    }
    section_.reset(line_end);
    in_fields_ = true;
  }
  const Result<std::size_t> size = section_.parse(input, head.fields);
  if (!size || *size == 0) return size;
  return finish(input, head, *size);
}

// What the fields and the target mean together.
Result<std::size_t> RequestParser::finish(Bytes input, RequestHead& head, std::size_t size) {
  head.method_text = method_.in(input);
  head.target = target_.in(input);
  if (!split_target(head)) return fail(Errc::bad_target);
  const HostRule rule = head.is_http_1_0 ? HostRule::http_1_0 : HostRule::http_1_1;
  if (!section_.is_repeated() || rule != host_passed_) {
    host_passed_ = HostRule::none;
    if (const Result<void> host = check_host(head); !host) return fail(host.error());
    host_passed_ = rule;
  }
  if (head.authority.empty()) head.authority = head.fields.get(FieldName::host).value_or(std::string_view());
  return size;
}

// The fast path: a whole GET or POST line of HTTP/1.1 whose target needs no second look; 0: parse_request_line() knows.
std::size_t RequestParser::take_plain_request_line(Bytes input, RequestHead& head) {
  constexpr std::size_t kShortest = 16;  // "GET / HTTP/1.1" CRLF
  if (line_ != 0 || scanned_ != 0 || input.size() < kShortest) return 0;
  const char* const begin = input.data();
  const char* const end = begin + std::min(input.size(), limits_.max_head_bytes);
  const std::uint64_t word = internal::load_word(begin);
  if ((word & 0xffffffff) == kGet) {
    head.method = Method::get;
    method_ = {0, 3};
  } else if ((word & 0xffffffffff) == kPost) {
    head.method = Method::post;
    method_ = {0, 4};
  } else {
    return 0;
  }
  const char* const target = begin + method_.size + 1;
  const char* const target_end = internal::skip_plain_target(target, end);
  const auto size = static_cast<std::size_t>(target_end - target);
  constexpr std::ptrdiff_t kBehindTarget = 1 + kVersionBytes + 2;
  if (end - target_end < kBehindTarget || *target_end != ' ' || size == 0 || size > limits_.max_target_bytes) return 0;
  if (internal::load_word(target_end + 1) != kVersion11 || internal::load_half(target_end + 9) != kLineEnd) return 0;
  target_ = {method_.size + 1, size};
  head.is_http_1_0 = false;
  return static_cast<std::size_t>(target_end + kBehindTarget - begin);
}

// method SP request-target SP HTTP-version CRLF, RFC 9112 §3, after any number of empty lines.
Result<std::size_t> RequestParser::parse_request_line(Bytes input, RequestHead& head) {
  const char* const begin = input.data();
  const char* const end = begin + input.size();
  while (line_ + 1 < input.size() && begin[line_] == '\r' && begin[line_ + 1] == '\n') {
    line_ += 2;
    if (line_ > limits_.max_head_bytes) return fail(Errc::head_too_large);
  }
  const std::size_t longest = kMaxMethodBytes + 1 + limits_.max_target_bytes + 1 + kVersionBytes + 2;
  const std::size_t room = limits_.max_head_bytes - std::min(limits_.max_head_bytes, line_);
  const auto wait_or_fail = [&](Errc error) -> Result<std::size_t> {
    const bool has_method = input.substr(line_, kMaxMethodBytes + 1).contains(' ');
    const Errc too_long = room < longest ? Errc::head_too_large : has_method ? Errc::target_too_long : Errc::bad_method;
    const std::optional<Errc> verdict = judge(input, line_, scanned_, std::min(room, longest), too_long, error);
    if (verdict) return fail(*verdict);
    return 0;
  };
  if (scanned_ > line_ && find_line_end(input, line_, scanned_) == kNoLineEnd) return wait_or_fail(Errc::bad_line_end);

  const char* const line = begin + line_;
  const char* const method_end = skip_token(line, end);
  if (method_end == end || *method_end != ' ' || method_end == line) {
    const bool is_line_end = method_end != end && (*method_end == '\r' || *method_end == '\n') && method_end == line;
    return wait_or_fail(is_line_end ? Errc::bad_line_end : Errc::bad_method);
  }
  const char* const target = method_end + 1;
  const char* const target_end = skip_target(target, end);
  if (target_end == end || *target_end != ' ' || target_end == target) return wait_or_fail(Errc::bad_target);
  const char* const version = target_end + 1;
  const auto left = static_cast<std::size_t>(end - version);
  if (left < kVersionBytes + 1) return wait_or_fail(Errc::bad_version);
  bool is_http_1_0 = false;
  const Result<void> parsed = parse_version({version, kVersionBytes}, is_http_1_0);
  if (!parsed) return wait_or_fail(errc_of(parsed.error()));
  if (left < kVersionBytes + 2 || version[kVersionBytes] != '\r' || version[kVersionBytes + 1] != '\n') {
    const char after = version[kVersionBytes];
    return wait_or_fail(after == '\r' || after == '\n' ? Errc::bad_line_end : Errc::bad_version);
  }

  method_ = {line_, static_cast<std::size_t>(method_end - line)};
  target_ = {static_cast<std::size_t>(target - begin), static_cast<std::size_t>(target_end - target)};
  const auto line_end = static_cast<std::size_t>(version + kVersionBytes + 2 - begin);
  if (line_end - line_ > room && room < longest) return fail(Errc::head_too_large);
  if (method_.size > kMaxMethodBytes) return fail(Errc::bad_method);
  if (target_.size > limits_.max_target_bytes) return fail(Errc::target_too_long);
  if (!has_valid_percents(target_.in(input))) return fail(Errc::bad_target);
  head.method = method_of(method_.in(input));
  head.is_http_1_0 = is_http_1_0;
  return line_end;
}

// ---- responses -------------------------------------------------------------------------------------------

void ResponseParser::reset() {
  section_.reset();
  in_fields_ = false;
  scanned_ = 0;
}

Result<std::size_t> ResponseParser::parse(Bytes input, ResponseHead& head) {
  if (!in_fields_ && scanned_ == 0 && input.starts_with(kOkLine)) {  // the fast path
    head.status = 200;
    head.is_http_1_0 = false;
    reason_at_ = kOkLine.size() - 4;
    reason_size_ = 2;
    section_.reset(kOkLine.size());
    in_fields_ = true;
  }
  if (!in_fields_) {
    const Result<std::size_t> line_end = parse_status_line(input, head);
    if (!line_end || *line_end == 0) return line_end;
    section_.reset(*line_end);
    in_fields_ = true;
  }
  const Result<std::size_t> size = section_.parse(input, head.fields);
  if (!size || *size == 0) return size;
  head.reason = input.substr(reason_at_, reason_size_);
  return size;
}

// HTTP-version SP status-code SP [ reason-phrase ] CRLF, RFC 9112 §4; the second space may be missing with the reason.
Result<std::size_t> ResponseParser::parse_status_line(Bytes input, ResponseHead& head) {
  constexpr std::size_t kMaxLine = kVersionBytes + 5 + kMaxReasonBytes + 2;
  const auto wait_or_fail = [&](Errc error) -> Result<std::size_t> {
    const std::size_t line_end = input.find('\n');
    const bool is_whole = line_end == kNoLineEnd || line_end >= kVersionBytes + 5;
    const std::optional<Errc> verdict =
        judge(input, 0, scanned_, kMaxLine, Errc::bad_status, is_whole ? error : Errc::bad_status);
    if (verdict) return fail(*verdict);
    return 0;
  };
  if (scanned_ > 0 && find_line_end(input, 0, scanned_) == kNoLineEnd) return wait_or_fail(Errc::bad_status);

  if (input.size() < kVersionBytes + 6) return wait_or_fail(Errc::bad_status);
  bool is_http_1_0 = false;
  const Result<void> parsed = parse_version(input.substr(0, kVersionBytes), is_http_1_0);
  if (!parsed) return wait_or_fail(errc_of(parsed.error()));
  const std::string_view code = input.substr(kVersionBytes, 4);
  if (code[0] != ' ' || code[1] < '1' || code[1] > '9' || !ascii::is_digit(code[2]) || !ascii::is_digit(code[3])) {
    return wait_or_fail(Errc::bad_status);
  }
  const char* const end = input.data() + input.size();
  const char* reason = input.data() + kVersionBytes + 4;
  if (*reason == ' ') {
    ++reason;
  } else if (*reason != '\r') {
    return wait_or_fail(Errc::bad_status);
  }
  const char* const stop = skip_value(reason, end);
  if (stop == end || stop + 1 == end || *stop != '\r' || stop[1] != '\n') {
    return wait_or_fail(stop != end && (*stop == '\r' || *stop == '\n') ? Errc::bad_line_end : Errc::bad_status);
  }
  head.status = (code[1] - '0') * 100 + (code[2] - '0') * 10 + (code[3] - '0');
  head.is_http_1_0 = is_http_1_0;
  reason_at_ = static_cast<std::size_t>(reason - input.data());
  reason_size_ = static_cast<std::size_t>(stop - reason);
  const auto line_end = static_cast<std::size_t>(stop + 2 - input.data());
  if (line_end > kMaxLine) return fail(Errc::bad_status);
  return line_end;
}

}  // namespace pipette::http
